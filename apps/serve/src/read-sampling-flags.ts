// What the samplers' flags say: fields that a request might have said, checked as those are.
import { QuernError } from '@quern/errors';
import type { RequestDefaults } from './generate/request-defaults.ts';
import { type SamplingRequest, samplingFields } from './generate/sampling-fields.ts';
import { type SamplingFlag, type SamplingFlags, samplingTable } from './sampling-flags.ts';

const optionOf = (flags: string): string =>
  /^--([\w-]+)/.exec(flags)![1]!.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

/** What a request might say in the field of the same meaning. @throws QuernError `usage-bad-number` */
export function readSamplingDefaults(options: SamplingFlags): RequestDefaults {
  const sampling: Record<string, unknown> = {};
  for (const { flags, field, read = Number } of samplingTable as readonly SamplingFlag[]) {
    const text = options[optionOf(flags)] as string | undefined;
    if (text === undefined) continue;
    const value = text.trim() === '' ? Number.NaN : read(text);
    const checked = samplingFields[field].safeParse(value);
    if (!checked.success) throw badValue(flags.split(' ')[0]!, text, checked.error.issues[0]!.message);
    sampling[field] = value;
  }
  return { sampling: sampling as SamplingRequest, maxTokens: readLength(options.nPredict) };
}

function readLength(text: string | undefined): number | undefined {
  if (text === undefined || text === '-1') return undefined;
  const count = Number(text);
  if (Number.isSafeInteger(count) && count > 0) return count;
  throw badValue('--n-predict', text, 'expected a number from 1 on, or -1');
}

const badValue = (flag: string, text: string, why: string): QuernError =>
  new QuernError('usage-bad-number', `${flag} ${text}: ${why.replace(/^Invalid input: /, '')}.`);
