// llama.cpp's flags into quern's, before the parser sees them: commander takes no short flag of several letters, and its
// suggestions know nothing of other programs.
import { QuernError } from '@quern/errors';
import type { Command, Option } from 'commander';
import { type LlamaFlag, llamaFlagNamed, llamaValues, modelArgument } from './llama-flags.ts';
import { type SettledFlag, settledFlagNamed } from './settled-flags.ts';

export interface Rewritten {
  readonly args: readonly string[];
  /** For stderr. */
  readonly notes: readonly string[];
}

/**
 * @param args what follows the name of the command
 * @param takesModel whether its first argument is a model
 * @throws QuernError `usage-foreign-flag`, `usage-no-model`
 */
export function rewriteArguments(args: readonly string[], command: Command, takesModel: boolean): Rewritten {
  const models: string[] = [];
  const rest: string[] = [];
  const notes: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === '--') {
      rest.push(...args.slice(i));
      break;
    }
    const { name, value } = partsOf(arg);
    const own = optionNamed(command, name);
    const row = own || !isFlag(arg) ? undefined : llamaFlagNamed(name);
    const settled = own ? undefined : settledFlagNamed(name);
    if (settled) {
      const asked = value ?? (takesNext(settled, args[i + 1]) ? args[++i] : undefined);
      notes.push(noteOf(settled, name, asked, command));
    } else if (row?.means === modelArgument && takesModel) {
      models.push(modelOf(name, value ?? args[++i]));
    } else {
      const option = own ?? (row && equivalent(row, name, command));
      const flag = own ? name : option?.long;
      if (name === '-t' && option?.long === '--threads') refuseType(value ?? args[i + 1], command);
      // Whatever follows a flag that wants a value is its value, also when it looks like a flag.
      const follows = option?.required && value === undefined && i + 1 < args.length;
      const text = follows ? args[++i] : value;
      if (flag === undefined) rest.push(arg);
      else rest.push(...written(flag, meaningOf(option!, text), value !== undefined));
    }
  }
  return { args: [...models, ...rest], notes };
}

const isFlag = (arg: string): boolean => /^-./.test(arg);

/** `--name=value` and `-n=value` in two. */
function partsOf(arg: string): { name: string; value?: string } {
  const at = isFlag(arg) ? arg.indexOf('=') : -1;
  return at < 0 ? { name: arg } : { name: arg.slice(0, at), value: arg.slice(at + 1) };
}

const optionNamed = (command: Command, name: string): Option | undefined =>
  command.options.find(({ short, long }) => short === name || long === name);

/** @throws QuernError `usage-foreign-flag` when the command has nothing of the kind */
function equivalent({ means, only, instead }: LlamaFlag, name: string, command: Command): Option {
  const mine = only === undefined || only === command.name();
  const option = means !== undefined && mine ? optionNamed(command, means) : undefined;
  if (option) return option;
  throw foreign(name, command, instead);
}

const foreign = (name: string, command: Command, remedy?: string): QuernError =>
  new QuernError('usage-foreign-flag', `quern ${command.name()} has no ${name}.`, { remedy });

function modelOf(name: string, model: string | undefined): string {
  if (model !== undefined && !isFlag(model)) return model;
  throw new QuernError('usage-no-model', `${name} needs the name of a model.`);
}

/** `-t` was once the type here, and is the threads of every program of llama.cpp. */
function refuseType(value: string | undefined, command: Command): void {
  if (value === undefined || !/^[a-z]/i.test(value) || !optionNamed(command, '--type')) return;
  throw new QuernError('usage-bad-number', `-t is the number of threads, not '${value}'.`, {
    remedy: `For the type write --type ${value}.`,
  });
}

/** `-c=4096` is not among what commander takes. @param text null: the flag says what is so without it */
function written(flag: string, text: string | null | undefined, joined: boolean): string[] {
  if (text === null) return [];
  if (text === undefined) return [flag];
  return joined && flag.startsWith('--') ? [`${flag}=${text}`] : [flag, text];
}

const meaningOf = ({ long }: Option, text: string | undefined): string | null | undefined => {
  const meaning = text === undefined ? undefined : llamaValues[long ?? '']?.[text];
  return meaning === undefined ? text : meaning;
};

/** One that may stand alone takes what follows only if that is a value of its. */
const takesNext = ({ values, others }: SettledFlag, next: string | undefined): boolean =>
  values !== undefined && next !== undefined && (!others || [...values, ...others].includes(next));

/** @throws QuernError `usage-foreign-flag` */
function noteOf(row: SettledFlag, name: string, asked: string | undefined, command: Command): string {
  const { values, others, why, otherwise, beside, instead } = row;
  if (!optionNamed(command, beside)) throw foreign(name, command, instead);
  const isSo = asked === undefined ? values === undefined || others !== undefined : values?.includes(asked);
  if (isSo) return `note: ${name} changes nothing: ${why}.`;
  const wanted = values?.slice(0, 2).join(' or ') ?? 'a switch without a value';
  const message = `${name} is ${wanted}, not '${asked ?? ''}': ${why}.`;
  throw new QuernError('usage-foreign-flag', message, { remedy: otherwise ?? 'Leave it out.' });
}
