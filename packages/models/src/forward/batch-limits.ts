// Sizes of a loaded model that its user chooses: batches, cache, outputs.
import { QuernError } from '@quern/errors';
import { cacheTypes as knownTypes } from '@quern/runtime';
import type { ScaledAdapter } from '../adapter/lora.ts';
import { type CacheTypes, exactCache } from './cache-types.ts';

export interface BatchSizes {
  /** Most tokens of one batch. */
  readonly batchTokens: number;
  /** Positions that the KV cache holds, for all sequences together; rounded up to whole blocks. Default: batchTokens. */
  readonly cells?: number;
  /** Positions that one sequence can have. Default: all of `cells`. */
  readonly sequenceCells?: number;
  /** What keys and values are stored as. Default: F32. */
  readonly cacheTypes?: CacheTypes;
  /** Positions per cache block. Default 32. */
  readonly blockTokens?: number;
  /** Most sequences of one batch. Default 1. */
  readonly maxSequences?: number;
  /** Sequences that can have a state at a time, where the network keeps states of fixed size. Default: maxSequences. */
  readonly slots?: number;
  /** Most rows of one batch whose logits are wanted. Default: batchTokens. */
  readonly maxOutputs?: number;
  /** Load the blocks that guess further tokens too (multi-token prediction). Default: they cost nothing. */
  readonly draft?: boolean;
  /** Adapters that batches may ask for, by their number. */
  readonly adapters?: readonly ScaledAdapter[];
}

/** The sizes with what follows from them. */
export interface BatchLimits {
  readonly batchTokens: number;
  readonly maxSequences: number;
  readonly maxOutputs: number;
  readonly blockTokens: number;
  readonly blocks: number;
  readonly tableWidth: number;
  /** Sequences whose state of fixed size is kept. */
  readonly slots: number;
  readonly cacheTypes: CacheTypes;
}

/** @throws QuernError `load-option-invalid` */
export function batchLimits(sizes: BatchSizes): BatchLimits {
  const { batchTokens, cells = batchTokens, blockTokens = 32, maxSequences = 1 } = sizes;
  const { maxOutputs = batchTokens, slots = maxSequences, sequenceCells = cells } = sizes;
  const counts = { batchTokens, cells, sequenceCells, blockTokens, maxSequences, maxOutputs, slots };
  for (const [name, value] of Object.entries(counts))
    if (!Number.isSafeInteger(value) || value < 1)
      throw new QuernError('load-option-invalid', `${name} must be a positive integer, got ${value}.`);
  const { cacheTypes = exactCache } = sizes;
  for (const type of [cacheTypes.k, cacheTypes.v])
    if (!knownTypes.includes(type))
      throw new QuernError('load-option-invalid', `A cache is one of ${knownTypes.join(', ')}, not ${type}.`);
  const blocks = Math.ceil(cells / blockTokens);
  const tableWidth = Math.min(blocks, Math.ceil(sequenceCells / blockTokens));
  return { batchTokens, blockTokens, blocks, maxSequences, maxOutputs, slots, tableWidth, cacheTypes };
}
