// How guesses are made, with llama.cpp's names and defaults (`--spec-type`, common/arg.cpp of llama.cpp 0.5.0).
import { QuernError } from '@quern/errors';

/**
 * `ngram-simple` looks the last tokens up in what is already written; `draft-simple` asks a smaller model; `draft-mtp` the
 * draft blocks of the model itself.
 */
export const speculationTypes = ['ngram-simple', 'draft-simple', 'draft-mtp'] as const;
export type SpeculationType = (typeof speculationTypes)[number];

export interface SpeculationOptions {
  /** Asked in this order; the first that knows something is taken. */
  readonly types: readonly SpeculationType[];
  /** For `draft-simple`: a GGUF file or a Hugging Face folder. */
  readonly draftModelPath?: string;
  /** Most tokens guessed at a time by a model. Default 3. */
  readonly maxDrafts?: number;
  /** Fewer guesses than this are not tried. Default 0. */
  readonly minDrafts?: number;
  /** A model that is less sure of its next token than this guesses no further. Default 0. */
  readonly minProbability?: number;
  /** Tokens that are looked up. Default 12. */
  readonly ngramSize?: number;
  /** Most tokens taken from behind what was found. Default 48. */
  readonly ngramDrafts?: number;
}

export type Speculating = Required<Omit<SpeculationOptions, 'draftModelPath'>>;

/** @throws QuernError `engine-option-invalid` */
export function resolveSpeculation(options: SpeculationOptions): Speculating {
  const { types, draftModelPath, maxDrafts = 3, minDrafts = 0, minProbability = 0 } = options;
  const { ngramSize = 12, ngramDrafts = 48 } = options;
  for (const [name, value, least] of [
    ['maxDrafts', maxDrafts, 1],
    ['minDrafts', minDrafts, 0],
    ['ngramSize', ngramSize, 1],
    ['ngramDrafts', ngramDrafts, 1],
  ] as const)
    if (!Number.isInteger(value) || value < least || value > 1024)
      throw invalid(`${name} must be an integer from ${least} to 1024, got ${value}`);
  if (!(minProbability >= 0 && minProbability <= 1))
    throw invalid(`minProbability must be from 0 to 1, got ${minProbability}`);
  const unknown = types.find((type) => !speculationTypes.includes(type));
  if (unknown !== undefined || new Set(types).size < types.length)
    throw invalid(`types must be some of ${speculationTypes.join(', ')}, each once`);
  if (types.includes('draft-simple') !== (draftModelPath !== undefined))
    throw invalid('draft-simple and a draft model go together');
  return { types, maxDrafts, minDrafts, minProbability, ngramSize, ngramDrafts };
}

const invalid = (what: string): QuernError =>
  new QuernError('engine-option-invalid', `Speculation cannot be set up: ${what}.`);

/** Rows of logits that all guesses of a step may take: a row has the size of the vocabulary. */
const MOST_ROWS = 48;

/** Rows beside those of the sequences' own tokens. */
export function draftRows({ types, maxDrafts, ngramDrafts }: Speculating, maxSequences: number): number {
  const each = Math.max(types.includes('ngram-simple') ? ngramDrafts : 0, types.length > 0 ? maxDrafts : 0);
  return Math.min(MOST_ROWS, each * maxSequences);
}
