// The device memory that one batch passes through, allocated once at its largest size; each batch takes views of it.
import type { Device, Tensor } from '@quern/runtime';
import type { Hyperparameters } from '../hyperparameters.ts';

export interface BatchLimits {
  readonly batchTokens: number;
  readonly maxSequences: number;
  readonly maxOutputs: number;
  readonly blockTokens: number;
  readonly blocks: number;
  readonly tableWidth: number;
}

export interface Buffers {
  readonly tokens: Tensor; // [T] I32
  readonly positions: Tensor; // [T] I32
  readonly seqs: Tensor; // [T] I32
  readonly outputRows: Tensor; // [N] I32
  readonly blockTable: Tensor; // [S, tableWidth] I32
  readonly cos: Tensor; // [T, rot/2]
  readonly sin: Tensor; // [T, rot/2]
  readonly residual: Tensor; // [T, C]
  readonly normed: Tensor; // [T, C]
  readonly q: Tensor; // [T, heads·headDim]
  readonly k: Tensor; // [T, kvHeads·headDim]
  readonly v: Tensor; // [T, kvHeads·headDim]
  readonly attended: Tensor; // [T, heads·headDim]
  readonly gate: Tensor; // [T, F]
  readonly up: Tensor; // [T, F]
  readonly outputs: Tensor; // [N, C]
  readonly logits: Tensor; // [N, vocab]
}

/** Keys and values of one block of the network: [blocks·blockTokens, kvHeads·headDim] each. */
export interface LayerCache {
  readonly k: Tensor;
  readonly v: Tensor;
}

type Shapes = Readonly<Record<keyof Buffers, { dtype: 'F32' | 'I32'; shape: readonly number[] }>>;

/** Every shape at its largest: what will be allocated, and what the memory check counts. */
export function bufferShapes(hyperparameters: Hyperparameters, limits: BatchLimits): Shapes {
  const { embeddingLength: C, feedForwardLength: F, headCount, headCountKv, keyLength, vocabSize } = hyperparameters;
  const { batchTokens: T, maxOutputs: N, maxSequences: S, tableWidth } = limits;
  const f32 = (...shape: number[]) => ({ dtype: 'F32', shape }) as const;
  const i32 = (...shape: number[]) => ({ dtype: 'I32', shape }) as const;
  return {
    tokens: i32(T),
    positions: i32(T),
    seqs: i32(T),
    outputRows: i32(N),
    blockTable: i32(S, tableWidth),
    cos: f32(T, hyperparameters.ropeDimensionCount / 2),
    sin: f32(T, hyperparameters.ropeDimensionCount / 2),
    residual: f32(T, C),
    normed: f32(T, C),
    q: f32(T, headCount * keyLength),
    k: f32(T, headCountKv * keyLength),
    v: f32(T, headCountKv * keyLength),
    attended: f32(T, headCount * keyLength),
    gate: f32(T, F),
    up: f32(T, F),
    outputs: f32(N, C),
    logits: f32(N, vocabSize),
  };
}

/** Bytes of all the buffers. */
export function bufferBytes(shapes: Shapes): number {
  return Object.values(shapes).reduce((sum, { shape }) => sum + 4 * shape.reduce((a, b) => a * b, 1), 0);
}

export function allocateBuffers(device: Device, shapes: Shapes): Buffers {
  const entries = Object.entries(shapes).map(([name, { dtype, shape }]) => [name, device.alloc(dtype, shape, name)]);
  return Object.fromEntries(entries) as Buffers;
}

/** [cells, kvDim] of one of the two caches of a layer. */
export const cacheShape = ({ headCountKv, keyLength }: Hyperparameters, { blocks, blockTokens }: BatchLimits) => [
  blocks * blockTokens,
  headCountKv * keyLength,
];

/** Bytes of the whole cache, F32. */
export function cacheBytes(hyperparameters: Hyperparameters, limits: BatchLimits): number {
  const [cells, kvDim] = cacheShape(hyperparameters, limits);
  return 4 * 2 * hyperparameters.blockCount * cells * kvDim;
}

export function allocateCaches(device: Device, hyperparameters: Hyperparameters, limits: BatchLimits): LayerCache[] {
  const shape = cacheShape(hyperparameters, limits);
  return Array.from({ length: hyperparameters.blockCount }, (_, i) => ({
    k: device.alloc('F32', shape, `k cache of block ${i}`),
    v: device.alloc('F32', shape, `v cache of block ${i}`),
  }));
}
