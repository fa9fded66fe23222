// Sizes of a loaded model that its user chooses: batches, cache, outputs.
import { QuernError } from '@quern/errors';
import { cacheTypes as knownTypes } from '@quern/runtime';
import type { BatchLimits } from './buffers.ts';
import { type CacheTypes, exactCache } from './cache-types.ts';

export interface BatchSizes {
  /** Most tokens of one batch. */
  readonly batchTokens: number;
  /** Positions that the KV cache holds, for all sequences together; rounded up to whole blocks. Default: batchTokens. */
  readonly cells?: number;
  /** What keys and values are stored as. Default: F32. */
  readonly cacheTypes?: CacheTypes;
  /** Positions per cache block. Default 32. */
  readonly blockTokens?: number;
  /** Most sequences of one batch. Default 1. */
  readonly maxSequences?: number;
  /** Most rows of one batch whose logits are wanted. Default: batchTokens. */
  readonly maxOutputs?: number;
}

/** @throws QuernError `load-option-invalid` */
export function batchLimits(sizes: BatchSizes): BatchLimits {
  const { batchTokens, cells = batchTokens, blockTokens = 32, maxSequences = 1, maxOutputs = batchTokens } = sizes;
  for (const [name, value] of Object.entries({ batchTokens, cells, blockTokens, maxSequences, maxOutputs }))
    if (!Number.isSafeInteger(value) || value < 1)
      throw new QuernError('load-option-invalid', `${name} must be a positive integer, got ${value}.`);
  const { cacheTypes = exactCache } = sizes;
  for (const type of [cacheTypes.k, cacheTypes.v])
    if (!knownTypes.includes(type))
      throw new QuernError('load-option-invalid', `A cache is one of ${knownTypes.join(', ')}, not ${type}.`);
  const blocks = Math.ceil(cells / blockTokens);
  return { batchTokens, blockTokens, blocks, maxSequences, maxOutputs, tableWidth: blocks, cacheTypes };
}
