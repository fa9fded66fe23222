// The flags of speculative decoding, and what they say to the engine.
import type { SpeculationOptions, SpeculationType } from '@quern/engine';
import { QuernError } from '@quern/errors';
import { type Flag, parseCount } from '@quern/terminal';

export interface SpeculationFlags {
  modelDraft?: string;
  specType?: string;
  draftMax?: string;
  draftMin?: string;
  draftPMin?: string;
  specNgramSizeN?: string;
  specNgramSizeM?: string;
}

const types: readonly SpeculationType[] = ['ngram-simple', 'draft-simple', 'draft-mtp'];

export const speculationFlags: readonly Flag[] = [
  {
    flags: '--spec-type <list>',
    description:
      'who guesses, the first that knows something: ngram-simple (what is already written), draft-simple (a draft model), draft-mtp (the model’s own draft blocks); none (default: draft-simple with --model-draft, else none)',
  },
  { flags: '--model-draft <model>', description: 'a smaller model with the same vocabulary' },
  { flags: '--draft-max <count>', description: 'most tokens a model guesses at a time (default: 3)' },
  { flags: '--draft-min <count>', description: 'fewer guesses than this are not tried (default: 0)' },
  {
    flags: '--draft-p-min <probability>',
    description: 'a model less sure than this of its next token guesses no further (default: 0)',
  },
  { flags: '--spec-ngram-size-n <count>', description: 'ngram-simple: tokens that are looked up (default: 12)' },
  { flags: '--spec-ngram-size-m <count>', description: 'ngram-simple: most tokens taken from there (default: 48)' },
];

/** @throws QuernError `usage-bad-value`, `usage-bad-number` */
export function readSpeculation(flags: SpeculationFlags): Omit<SpeculationOptions, 'draftModelPath'> | undefined {
  const { modelDraft, specType = modelDraft === undefined ? 'none' : 'draft-simple' } = flags;
  const asked = specType === 'none' ? [] : specType.split(',');
  const unknown = asked.find((type) => !types.some((known) => known === type));
  if (unknown !== undefined)
    throw new QuernError('usage-bad-value', `--spec-type knows no '${unknown}'.`, {
      remedy: `Choose from none, ${types.join(', ')}, separated by commas.`,
    });
  if (new Set(asked).size < asked.length) throw new QuernError('usage-bad-value', '--spec-type names one kind twice.');
  if (asked.includes('draft-simple') !== (modelDraft !== undefined))
    throw new QuernError(
      'usage-bad-value',
      modelDraft === undefined
        ? '--spec-type draft-simple needs a draft model.'
        : `--model-draft is not used with --spec-type ${specType}.`,
      { remedy: 'Give --model-draft together with draft-simple.' },
    );
  const options = {
    maxDrafts: parseCount('--draft-max', flags.draftMax, 1024),
    minDrafts: parseCount('--draft-min', flags.draftMin, 1024, 0),
    minProbability: parseProbability('--draft-p-min', flags.draftPMin),
    ngramSize: parseCount('--spec-ngram-size-n', flags.specNgramSizeN, 1024),
    ngramDrafts: parseCount('--spec-ngram-size-m', flags.specNgramSizeM, 1024),
  };
  requireUse(flags, asked);
  return asked.length === 0 ? undefined : { types: asked as SpeculationType[], ...options };
}

const models = ['draft-simple', 'draft-mtp'];
/** Whom a flag is for. */
const readers = {
  draftMax: ['--draft-max', models],
  draftPMin: ['--draft-p-min', models],
  draftMin: ['--draft-min', types],
  specNgramSizeN: ['--spec-ngram-size-n', ['ngram-simple']],
  specNgramSizeM: ['--spec-ngram-size-m', ['ngram-simple']],
} as const;

/** No flag is read and does nothing. */
function requireUse(flags: SpeculationFlags, asked: readonly string[]): void {
  for (const [key, [flag, used]] of Object.entries(readers))
    if (flags[key as keyof typeof readers] !== undefined && !used.some((type) => asked.includes(type)))
      throw new QuernError('usage-bad-value', `${flag} is for who guesses by ${used.join(', ')}, and nobody does.`, {
        remedy: 'Say so with --spec-type, or leave it out.',
      });
}

function parseProbability(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 0 && value <= 1) return value;
  throw new QuernError('usage-bad-number', `${option} must be a number from 0 to 1, not '${text}'.`);
}
