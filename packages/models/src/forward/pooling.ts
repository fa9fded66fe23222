// From the hidden states of whole texts to one vector each, as sentence-transformers' modules say:
//   p = the mean of the text's normed states, or that of its first or last token       [S, C]
//   y = … dense₂ · dense₁ · p, divided by its length if so wanted
// and of rerankers (pairs of texts) to the scores of labels, by the head of their class:
//   y = output · tanh(dense · p + b) + b
import type { Device, Tensor } from '@quern/runtime';
import type { TokenBatch } from './model.ts';
import type { Network } from './network.ts';
import { type NormSpec, type NormWeights, runNorm } from './norm.ts';
import { bytesOf } from './rank.ts';

export const poolings = ['mean', 'cls', 'last'] as const;
export type Pooling = (typeof poolings)[number];

export interface PoolingSpec {
  readonly type: Pooling;
  /** Matrices behind the pooling, in order. */
  readonly dense: readonly DenseSpec[];
  /** Vectors get length 1. */
  readonly normalize: boolean;
  /** The numbers are scores of labels and no vector; `softmax`: they become shares of 1. */
  readonly scores?: { readonly softmax: boolean };
}

export interface DenseSpec {
  /** Whole name. */
  readonly name: string;
  readonly rows: number;
  readonly cols: number;
  /** Whole name. */
  readonly bias?: string;
  readonly act?: 'tanh';
}

/** Scalars of a text's vector. */
export const pooledWidth = ({ pooling, embeddingLength }: Pick<Network, 'pooling' | 'embeddingLength'>): number =>
  pooling?.dense.at(-1)?.rows ?? embeddingLength;

export interface DenseWeights {
  readonly matrix: Tensor; // [rows, cols]
  readonly bias?: Tensor; // [rows]
}

interface Call {
  readonly device: Device;
  readonly spec: PoolingSpec;
  readonly norm?: NormSpec;
  readonly weights: { readonly norm?: NormWeights; readonly dense: readonly DenseWeights[] };
  readonly batch: TokenBatch;
  /** [T, C] the residual stream behind the last block. */
  readonly residual: Tensor;
  readonly buffer: (name: string) => Tensor;
  readonly observe?: (weight: Tensor, input: Tensor) => void;
}

/** Names of the buffers, with what they hold. */
export const poolingBuffers = { hidden: 'hidden', pooled: 'pooled', rows: 'pooledRows' } as const;
export const denseBuffer = (index: number): string => `dense ${index}`;

/** [S, width of the last matrix, or C]; every sequence of the batch is whole. */
export function pool(call: Call): Tensor {
  const { device, spec, weights, buffer, observe } = call;
  let pooled = pooledStates(call);
  for (const [i, { matrix, bias }] of weights.dense.entries()) {
    observe?.(matrix, pooled);
    const y = buffer(denseBuffer(i));
    device.run('matmul', bias ? [pooled, matrix, bias] : [pooled, matrix], y, {});
    if (spec.dense[i]!.act === 'tanh') device.run('softCap', [y], y, { cap: 1 });
    pooled = y;
  }
  return pooled;
}

function pooledStates({ device, spec, norm, weights, batch, residual, buffer }: Call): Tensor {
  const pooled = buffer(poolingBuffers.pooled);
  if (spec.type === 'mean') {
    const hidden = buffer(poolingBuffers.hidden);
    if (norm) runNorm(device, norm, weights.norm!, residual, hidden);
    device.run('meanRows', [norm ? hidden : residual, buffer('seqs')], pooled, {});
    return pooled;
  }
  const rows = buffer(poolingBuffers.rows);
  device.write(rows, bytesOf(rowsOf(batch, spec.type, rows.shape[0]!)));
  device.run('gatherRows', [residual, rows], pooled, {});
  if (norm) runNorm(device, norm, weights.norm!, pooled, pooled);
  return pooled;
}

/** Row of the first or of the last token of each sequence. */
function rowsOf({ seqs }: TokenBatch, type: 'cls' | 'last', sequences: number): Int32Array {
  const find = (seq: number) => (type === 'cls' ? seqs.indexOf(seq) : seqs.lastIndexOf(seq));
  return Int32Array.from({ length: sequences }, (_, seq) => find(seq));
}
