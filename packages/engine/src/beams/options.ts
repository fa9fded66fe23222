// What a request may ask of a beam search, as transformers' `generate` names and counts it.
import { QuernError } from '@quern/errors';
import type { GenerateOptions } from '../request.ts';

export interface BeamOptions {
  /** Texts that are followed at a time, and the most that are returned. */
  readonly width: number;
  /** The score is the sum of the tokens' log probabilities ÷ length^penalty: above 0 long replies win, below it short ones. Default 1. */
  readonly lengthPenalty?: number;
  /**
   * When there are `width` finished replies: `true` stops at once; `false`, the default, when no running text scores better at its
   * present length; `'never'` when none could at its best length.
   */
  readonly earlyStopping?: boolean | 'never';
}

export type ResolvedBeams = Required<BeamOptions>;

const MOST_BEAMS = 128;

/** @throws QuernError `request-invalid` naming the option */
export function resolveBeams({ width, lengthPenalty = 1, earlyStopping = false }: BeamOptions): ResolvedBeams {
  if (!Number.isInteger(width) || width < 1 || width > MOST_BEAMS)
    throw invalid(`beams.width must be an integer from 1 to ${MOST_BEAMS}, got ${width}.`);
  if (!(Math.abs(lengthPenalty) <= 100))
    throw invalid(`beams.lengthPenalty must be a number from -100 to 100, got ${lengthPenalty}.`);
  if (typeof earlyStopping !== 'boolean' && earlyStopping !== 'never')
    throw invalid(`beams.earlyStopping must be true, false or 'never', got ${earlyStopping}.`);
  return { width, lengthPenalty, earlyStopping };
}

/**
 * A search compares the model's own probabilities. What only says how a token is drawn has no meaning for it; what would
 * change the probabilities is refused.
 * @throws QuernError `request-invalid` naming the option
 */
export function refuseChanges({ sampling = {}, grammar, samplingProbs }: GenerateOptions): void {
  const { logitBias, repetitionPenalty, presencePenalty, frequencyPenalty, dryMultiplier } = sampling;
  const changes = {
    'a grammar': grammar !== undefined,
    samplingProbs: samplingProbs !== undefined,
    logitBias: (logitBias?.size ?? 0) > 0,
    repetitionPenalty: (repetitionPenalty ?? 1) !== 1,
    presencePenalty: (presencePenalty ?? 0) !== 0,
    frequencyPenalty: (frequencyPenalty ?? 0) !== 0,
    dryMultiplier: (dryMultiplier ?? 0) !== 0,
  };
  for (const [name, asked] of Object.entries(changes))
    if (asked) throw invalid(`A beam search cannot be combined with ${name}.`);
}

const invalid = (message: string): QuernError => new QuernError('request-invalid', message);
