// What a request may ask of the sampler, with every range checked before a token is computed.
import { QuernError } from '@quern/errors';

export interface SamplingOptions {
  /** 0 = greedy (the most likely token, the lowest id on a tie). Default 1. */
  readonly temperature?: number;
  /** Keep the k most likely tokens; 0 = all. Default 0. */
  readonly topK?: number;
  /** Keep the most likely tokens until their probabilities sum to at least p; 1 = all. Default 1. */
  readonly topP?: number;
  /** Keep tokens at least this fraction as likely as the most likely one; 0 = all. Default 0. */
  readonly minP?: number;
  /** Any non-negative safe integer. Default: random, reported when the generation finishes. */
  readonly seed?: number;
  /** Divides positive and multiplies negative logits of tokens in prompt or reply; 1 = off. Default 1. */
  readonly repetitionPenalty?: number;
  /** Subtracted once from the logit of tokens already generated. Default 0. */
  readonly presencePenalty?: number;
  /** Subtracted from the logit of a token as often as it was generated. Default 0. */
  readonly frequencyPenalty?: number;
  /** Added to the logits of these tokens; -Infinity forbids one. */
  readonly logitBias?: ReadonlyMap<number, number>;
}

export type ResolvedSampling = Required<SamplingOptions>;

interface Range {
  readonly value: number;
  readonly integer?: boolean;
  readonly min: number;
  readonly max: number;
}

/**
 * Defaults filled in and ranges checked.
 * @throws QuernError `sampling-invalid` naming the option, its value and its range.
 */
export function resolveSampling(options: SamplingOptions, vocabSize: number): ResolvedSampling {
  const resolved: ResolvedSampling = {
    temperature: options.temperature ?? 1,
    topK: options.topK ?? 0,
    topP: options.topP ?? 1,
    minP: options.minP ?? 0,
    seed: options.seed ?? crypto.getRandomValues(new Uint32Array(1))[0],
    repetitionPenalty: options.repetitionPenalty ?? 1,
    presencePenalty: options.presencePenalty ?? 0,
    frequencyPenalty: options.frequencyPenalty ?? 0,
    logitBias: options.logitBias ?? new Map(),
  };
  const ranges: Record<string, Range> = {
    temperature: { value: resolved.temperature, min: 0, max: 1e3 },
    topK: { value: resolved.topK, min: 0, max: Number.MAX_SAFE_INTEGER, integer: true },
    topP: { value: resolved.topP, min: 0, max: 1 },
    minP: { value: resolved.minP, min: 0, max: 1 },
    seed: { value: resolved.seed, min: 0, max: Number.MAX_SAFE_INTEGER, integer: true },
    repetitionPenalty: { value: resolved.repetitionPenalty, min: 1e-3, max: 1e3 },
    presencePenalty: { value: resolved.presencePenalty, min: -1e3, max: 1e3 },
    frequencyPenalty: { value: resolved.frequencyPenalty, min: -1e3, max: 1e3 },
  };
  for (const [name, { value, min, max, integer }] of Object.entries(ranges)) {
    if (!(value >= min && value <= max) || (integer && !Number.isInteger(value)))
      throw new QuernError(
        'sampling-invalid',
        `${name} must be ${integer ? 'an integer' : 'a number'} from ${min} to ${max}, got ${value}.`,
      );
  }
  for (const [token, bias] of resolved.logitBias) {
    if (!Number.isInteger(token) || token < 0 || token >= vocabSize)
      throw new QuernError('sampling-invalid', `logitBias names token ${token}; the vocabulary has ${vocabSize}.`);
    if (Number.isNaN(bias) || bias === Number.POSITIVE_INFINITY)
      throw new QuernError('sampling-invalid', `logitBias of token ${token} must be finite or -Infinity, got ${bias}.`);
  }
  return resolved;
}
