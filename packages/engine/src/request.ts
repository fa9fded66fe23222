// What is asked of the engine and what it answers. Everything here survives structured clone: it crosses threads.

import type { TokenLogProb } from './sampling/log-probs.ts';
import type { SamplingOptions } from './sampling/options.ts';

export interface GenerateOptions {
  /** Most tokens to generate. Default: until the context is full. */
  readonly maxTokens?: number;
  readonly sampling?: SamplingOptions;
  /** Sampling one of these ends the generation; the token itself is not yielded. */
  readonly stopTokens?: readonly number[];
  /** Log probabilities: of the chosen token, and of this many most likely tokens (0: the chosen one only). Default: none. */
  readonly logprobs?: number;
}

export interface TokenEvent {
  readonly token: number;
  /** ln p of the token under the model's own distribution, when asked for. */
  readonly logprob?: number;
  /** The most likely tokens, most likely first, when asked for. */
  readonly top?: readonly TokenLogProb[];
}

/** `stop`: a stop token. `length`: maxTokens or the end of the context. `cancelled`: the caller gave up. */
export type FinishReason = 'stop' | 'length' | 'cancelled';

export interface FinishEvent {
  readonly finishReason: FinishReason;
  /** The token that ended it, with reason `stop`. */
  readonly stopToken?: number;
  readonly promptTokens: number;
  /** Tokens sampled, the stop token included. */
  readonly generatedTokens: number;
  /** Prompt tokens that needed no computation. Always 0: nothing is shared between requests yet. */
  readonly cachedTokens: number;
  /** The seed in use, so that a random one can be used again. */
  readonly seed: number;
  readonly timings: Timings;
}

/** Milliseconds. */
export interface Timings {
  /** From submission to admission into a batch. */
  readonly queueMs: number;
  /** From admission to the first token. */
  readonly promptMs: number;
  /** From the first token to the last. */
  readonly generationMs: number;
}

export type GenerateEvent = TokenEvent | FinishEvent;
