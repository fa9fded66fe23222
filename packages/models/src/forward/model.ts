// What a loaded model offers: a forward pass over batches of tokens of several sequences, with a paged KV cache.
import type { Device, Tensor } from '@quern/runtime';
import type { Hyperparameters } from '../hyperparameters.ts';
import type { Placement } from '../placement/placement.ts';
import type { CacheTypes } from './cache-types.ts';
import type { DraftBlocks } from './draft/draft-blocks.ts';
import type { StoredWeight } from './held-weights.ts';
import type { HighestLogits } from './highest-logits.ts';
import type { PoolingSpec } from './pooling.ts';
import type { SequenceState } from './state/sequence-state.ts';

/**
 * Tokens to compute, T ≤ `model.batchTokens`. Tokens of one sequence must come in rising positions, and every earlier
 * position of that sequence must have been computed before, or earlier in this batch.
 */
export interface TokenBatch {
  /** [T] */
  readonly tokens: Int32Array;
  /** [T] position of each token in its sequence, from 0. */
  readonly positions: Int32Array;
  /** [T] row of `blockTable` that belongs to the token's sequence. */
  readonly seqs: Int32Array;
  /**
   * [S, `model.tableWidth`], S ≤ `model.maxSequences`: entry b of a row is the cache block (0 … `model.blocks` - 1) that
   * holds positions b·blockTokens … of that sequence. Entries that no token reaches may hold anything.
   */
  readonly blockTable: Int32Array;
  /**
   * [S] slot (0 … `model.slots` - 1) that holds what the sequence of a row keeps apart from its positions: recurrent and
   * convolution states. It starts at zero when position 0 is computed. Default: row s has slot s.
   */
  readonly slots?: Int32Array;
  /** [S, adapters of the model] how strongly each sequence asks for each adapter. Default: as they were loaded. */
  readonly adapterScales?: Float32Array;
  /** [T] kind of each token, for networks with rows for kinds (BERT): 1 for the second text of a pair. Default: all are of kind 0. */
  readonly kinds?: Int32Array;
}

export interface OutputBatch extends TokenBatch {
  /** [N] rows of the batch whose logits are wanted, 1 ≤ N ≤ `model.maxOutputs`. */
  readonly outputRows: Int32Array;
}

/**
 * Sees the input of every matmul on its way, by the GGUF name of the weight it is multiplied with (of a tied model the
 * output projection is `token_embd.weight`).
 */
export interface MatmulObserver {
  /**
   * `input` [T, C] F32 on `device` is a buffer that later ops overwrite: enqueue what shall read it before returning.
   */
  onMatmulInput(weightName: string, input: Tensor, device: Device): void;
  /**
   * The same for a stack of `experts`: expert `ids[t][n]` [T, used] I32 is multiplied with row t of `input` when that has T
   * rows, and with row t·used + n when it has T·used.
   */
  onExpertInput(weightName: string, input: Tensor, ids: Tensor, experts: number, device: Device): void;
}

/** Where a pass may begin: the residual stream that enters a block. */
export interface BlockInput {
  /** 0 … blockCount; blockCount: behind the last block. */
  readonly block: number;
  /** Bytes of [T, C] F32, for the T tokens of the batch. */
  readonly residual: Uint8Array;
}

/** Device memory that a model occupies, in bytes, on all devices together. */
export interface ModelMemory {
  readonly weightBytes: number;
  readonly kvBytes: number;
  readonly activationBytes: number;
}

export interface Model {
  /** Where the logits are. */
  readonly device: Device;
  /** How many adapters batches can ask for. */
  readonly adapters: number;
  readonly hyperparameters: Hyperparameters;
  readonly placement: Placement;
  readonly memory: ModelMemory;
  readonly batchTokens: number;
  readonly maxSequences: number;
  readonly maxOutputs: number;
  /** Positions per cache block. */
  readonly blockTokens: number;
  /** Cache blocks in all: blocks · blockTokens = cells. */
  readonly blocks: number;
  /** Blocks that one sequence can have. */
  readonly tableWidth: number;
  readonly cacheTypes: CacheTypes;
  /** Sequences that can have a state at a time. */
  readonly slots: number;
  /** What sequences have left on the devices. Calls must not overlap with passes. */
  readonly state: SequenceState;
  /**
   * Computes the batch; its keys and values enter the cache. Gives logits [N, vocab] F32 on `device`, in the order of
   * `outputRows`; on one device they are only enqueued. The tensor belongs to the model and is overwritten by the next
   * call. Calls must not overlap.
   * @throws QuernError `batch-invalid` (sizes), `op-index-out-of-range` (a token, position, block or row out of range),
   *   and what a device throws: `device-lost`, …
   */
  forward(batch: OutputBatch, observer?: MatmulObserver): Promise<Tensor>;
  /** How many of the likeliest tokens `highest` can give. */
  readonly mostHighest: number;
  /**
   * The `count` likeliest tokens of each row of `logits`, which `forward` has just given, with `withSums` also what their
   * probabilities are counted from.
   */
  highest(logits: Tensor, count: number, withSums: boolean): Promise<HighestLogits[]>;
  /** The same without logits: only the cache is filled. Resolves when the batch has been computed. */
  prefill(batch: TokenBatch, observer?: MatmulObserver): Promise<void>;
  /** Blocks that guess further tokens; undefined when they were not asked for. */
  readonly draft?: DraftBlocks;
  /** `forward` without the blocks before `from`. Their cache is not looked at. */
  forwardFrom(batch: OutputBatch, from: BlockInput): Promise<Tensor>;
  /** How `embed` makes one vector of a text; undefined: it refuses. */
  readonly pooling?: PoolingSpec;
  /**
   * One vector [S, width] for every sequence of the batch, not yet normalized; the batch has all tokens of each. The tensor
   * is on `device` and is overwritten by the next call.
   * @throws QuernError `no-pooling`, and those of `forward`
   */
  embed(batch: TokenBatch, observer?: MatmulObserver): Promise<Tensor>;
  /**
   * The residual stream [T, C] that enters `block` (0 … blockCount), as F32 bytes: what `forwardFrom` takes. Only the
   * blocks before it are computed, from `from` on.
   */
  residualBefore(block: number, batch: TokenBatch, from?: BlockInput): Promise<Uint8Array>;
  /**
   * From now on the matrix of that GGUF name has these values; what it held before is gone. Its type may change.
   * @throws QuernError `tensor-missing`, `weight-wrong-shape` (a vector), `replacement-unsupported` (split by rows), and
   *   those of the device
   */
  replaceWeight(name: string, weight: StoredWeight): void;
  /**
   * Computes a batch once more, looking at every step: what first gave NaN or infinity (`the attention of blk.3`), or
   * undefined when nothing did. Slow.
   */
  locateNonFinite(batch: OutputBatch): Promise<string | undefined>;
  /** Frees the model's device memory; the devices stay usable. */
  dispose(): void;
}
