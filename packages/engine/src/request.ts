// What is asked of the engine and what it answers. Everything here survives structured clone: it crosses threads.

import type { ChatFormat, ReplyConstraint } from '@quern/chat';
import type { GrammarSource, GrammarTrigger, Program, VocabularyTree } from '@quern/grammar';
import type { BeamOptions } from './beams/options.ts';
import type { TokenLogProb } from './sampling/log-probs.ts';
import type { SamplingOptions } from './sampling/options.ts';
import type { TokenProbability } from './sampling/sampler.ts';
import type { TokenRuleOptions } from './sampling/token-rules.ts';

/** What a chat's reply is held to. The grammar is put together where it is compiled: that of many tools is much to make and to copy. */
export interface ReplyGrammar {
  readonly kind: 'reply';
  readonly format: ChatFormat;
  readonly constraint: ReplyConstraint;
}

/** A grammar that has not been compiled. */
export type AskedGrammar = GrammarSource | ReplyGrammar;

/** A grammar that another thread has compiled. */
export interface CompiledGrammar {
  readonly kind: 'compiled';
  /** Equal for equal grammars. */
  readonly key: string;
  readonly program: Program;
  /** The model's vocabulary, where that thread has laid it out. */
  readonly tree?: VocabularyTree;
}

export interface GenerateOptions extends TokenRuleOptions {
  /** Most tokens to generate. Default: until the context is full. */
  readonly maxTokens?: number;
  readonly sampling?: SamplingOptions;
  /** Sampling one of these ends the generation; the token itself is not yielded. */
  readonly stopTokens?: readonly number[];
  /** Log probabilities: of the chosen token, and of this many most likely tokens (0: the chosen one only). Default: none. */
  readonly logprobs?: number;
  /**
   * Probabilities after all stages of the sampler: of the chosen token, and of this many tokens that were likeliest then (0: the
   * chosen one only). Default: none.
   */
  readonly samplingProbs?: number;
  /** The lower, the sooner: 1 less counts as ten seconds of having waited. From -1000 to 1000, default 0. */
  readonly priority?: number;
  /**
   * Milliseconds that the request may take, waiting included. Then it ends: with what it has (`deadline`), or with the error
   * `deadline-exceeded` before its first token. Default: as long as it takes.
   */
  readonly deadlineMs?: number;
  /**
   * Positions of the prompt behind which a message ends. Models with recurrent or windowed state keep a snapshot there, so that the next
   * turn of a chat goes on from it.
   */
  readonly messageEnds?: readonly number[];
  /** Most tokens guessed at a time, where the engine speculates; 0: none. Default: as the engine thinks fit. */
  readonly maxDrafts?: number;
  /** Holds the reply to a grammar. Where it is complete and nothing may follow, the reply ends (`stop`). */
  readonly grammar?: AskedGrammar | CompiledGrammar;
  /** The grammar waits for this; the reply is free until then. */
  readonly grammarTrigger?: GrammarTrigger;
  /** Searches for the likeliest replies; nothing is drawn, and all tokens are told at the end. Default: replies are sampled. */
  readonly beams?: BeamOptions;
  /** The reply is these tokens, whatever the model would say: so their log probabilities are told. Default: the sampler chooses. */
  readonly dictated?: readonly number[];
  /** Adapters by number; those that are not named are off. Default: all of them, as they stand (`Engine.adapters`). */
  readonly adapters?: readonly AdapterScale[];
}

export interface AdapterScale {
  readonly id: number;
  /** 0: it is off. */
  readonly scale: number;
}

export interface TokenEvent {
  readonly token: number;
  /** With the first token: as in the finish event. */
  readonly cachedTokens?: number;
  /** ln p of the token under the model's own distribution, when asked for. */
  readonly logprob?: number;
  /** The most likely tokens, most likely first, when asked for. */
  readonly top?: readonly TokenLogProb[];
  /** How likely the sampler made it, when asked for. */
  readonly probability?: number;
  /** The tokens that the sampler made the likeliest, when asked for; none without any probability. */
  readonly likeliest?: readonly TokenProbability[];
}

/** `stop`: a stop token. `length`: maxTokens or the end of the context. `deadline`: no more time. `cancelled`: the caller gave up. */
export type FinishReason = 'stop' | 'length' | 'deadline' | 'cancelled';

export interface FinishEvent {
  readonly finishReason: FinishReason;
  /** The token that ended it, with reason `stop`. */
  readonly stopToken?: number;
  readonly promptTokens: number;
  /** Tokens sampled, the stop token included. */
  readonly generatedTokens: number;
  /** Prompt tokens that needed no computation: an earlier request had them. */
  readonly cachedTokens: number;
  /** Tokens that were guessed and looked at, and those of them that were right. */
  readonly draftTokens: number;
  readonly acceptedTokens: number;
  /** The seed in use, so that a random one can be used again. */
  readonly seed: number;
  /** What a beam search compared: log probability ÷ length^penalty. */
  readonly score?: number;
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
