// What the engine is doing and what it holds, at one moment between two batches; sums are since the model was loaded.
import type { HistogramCounts } from './histogram.ts';
import type { FinishReason } from './request.ts';
import type { SpeculationStats } from './speculation/stats.ts';

export interface EngineStats {
  readonly requests: { readonly running: number; readonly waiting: number };
  /** Places of running requests, with the tokens of the request that runs there, or of the last that did. */
  readonly slots: readonly { readonly id: number; readonly processing: boolean; readonly tokens: number }[];
  /** Blocks of the KV cache, `blockTokens` positions each. */
  readonly blocks: {
    readonly total: number;
    readonly blockTokens: number;
    /** By requests that run; shared ones count once. */
    readonly used: number;
    readonly peakUsed: number;
  };
  /** What is kept of earlier requests. */
  readonly kept: {
    readonly bytes: number;
    readonly budgetBytes: number;
    /** Blocks that lie in the KV cache, and those that have left it. */
    readonly deviceBlocks: number;
    readonly hostBlocks: number;
    /** States of a fixed size. */
    readonly snapshots: number;
  };
  readonly totals: StepTotals;
  readonly latencies: Latencies;
  /** Where the engine guesses. */
  readonly speculation?: SpeculationStats;
}

export interface StepTotals {
  /** Batches computed, and the sequences in them. */
  readonly steps: number;
  readonly sequences: number;
  /** Of requests that have got a token and ended: tokens of prompts, and those of them that needed no computation. */
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly generatedTokens: number;
  /** Most tokens of prompt and reply of one request. */
  readonly mostTokens: number;
  /** Of the same requests: until their first token, waiting not included, and from there on. */
  readonly promptMs: number;
  readonly generationMs: number;
  readonly endings: Readonly<Record<Ending, number>>;
  /** Requests that gave their blocks back and had to wait. */
  readonly preemptions: number;
}

/** How requests end. */
export type Ending = FinishReason | 'error';

/** Of requests that have ended with a reply. */
export interface Latencies {
  /** From submission to the first token, and to the last. */
  readonly firstToken: HistogramCounts;
  readonly request: HistogramCounts;
  /** Between tokens, of all requests; those that were guessed share the time of their step. */
  readonly interToken: HistogramCounts;
  readonly queue: HistogramCounts;
  readonly prefill: HistogramCounts;
  readonly decode: HistogramCounts;
}
