// The memory of one device that a batch passes through, allocated once at its largest size; each batch takes views of it.
import { dtypeByName, rowBytes } from '@quern/blocks';
import type { Device, Tensor } from '@quern/runtime';
import type { Hyperparameters } from '../hyperparameters.ts';
import type { CacheTypes } from './cache-types.ts';

export interface BatchLimits {
  readonly batchTokens: number;
  readonly maxSequences: number;
  readonly maxOutputs: number;
  readonly blockTokens: number;
  readonly blocks: number;
  readonly tableWidth: number;
  readonly cacheTypes: CacheTypes;
}

export interface Buffers {
  readonly tokens: Tensor; // [T] I32
  readonly positions: Tensor; // [T] I32
  readonly seqs: Tensor; // [T] I32
  readonly blockTable: Tensor; // [S, tableWidth] I32
  readonly cos: Tensor; // [T, rot/2]
  readonly sin: Tensor; // [T, rot/2]
  readonly residual: Tensor; // [T, C]
  readonly normed: Tensor; // [T, C]
  readonly q: Tensor; // [T, heads·headDim]
  readonly k: Tensor; // [T, kvHeads·headDim]
  readonly v: Tensor; // [T, kvHeads·headDim]
  readonly attended: Tensor; // [T, heads·headDim]
  /** Where logits are computed. */
  readonly output?: OutputBuffers;
  readonly mlp?: MlpBuffers;
  readonly experts?: ExpertBuffers;
  readonly sharedExpert?: SharedExpertBuffers;
}

export interface OutputBuffers {
  readonly rows: Tensor; // [N] I32
  readonly normed: Tensor; // [N, C]
  readonly logits: Tensor; // [N, vocab]
}

export interface MlpBuffers {
  readonly gate: Tensor; // [T, F]
  readonly up: Tensor; // [T, F]
}

export interface ExpertBuffers {
  readonly routerLogits: Tensor; // [T, experts]
  readonly ids: Tensor; // [T, used] I32
  readonly weights: Tensor; // [T, used]
  readonly gate: Tensor; // [T·used, F]
  readonly up: Tensor; // [T·used, F]
  readonly outputs: Tensor; // [T·used, C]
  readonly mixed: Tensor; // [T, C]
}

export interface SharedExpertBuffers extends MlpBuffers {
  readonly sharedGate: Tensor; // [T, 1]
  readonly gated: Tensor; // [T, C]
}

/** Keys and values of one block of the network: [blocks·blockTokens, kvHeads·headDim] each. */
export interface LayerCache {
  readonly k: Tensor;
  readonly v: Tensor;
}

interface BufferShape {
  readonly dtype: 'F32' | 'I32';
  readonly shape: readonly number[];
}
type GroupName = 'output' | 'mlp' | 'experts' | 'sharedExpert';
/** Shapes as deep as the buffers. */
export type BufferShapes = Readonly<Record<Exclude<keyof Buffers, GroupName>, BufferShape>> & {
  readonly [Group in GroupName]?: Readonly<Record<keyof NonNullable<Buffers[Group]>, BufferShape>>;
};

const f32 = (...shape: number[]): BufferShape => ({ dtype: 'F32', shape });
const i32 = (...shape: number[]): BufferShape => ({ dtype: 'I32', shape });

/**
 * Every shape at its largest: what will be allocated, and what the memory check counts.
 * @param part whether the device computes logits
 */
export function bufferShapes(
  hyperparameters: Hyperparameters,
  limits: BatchLimits,
  { output }: { output: boolean },
): BufferShapes {
  const { embeddingLength: C, headCount, headCountKv, keyLength, vocabSize } = hyperparameters;
  const { batchTokens: T, maxOutputs: N, maxSequences: S, tableWidth } = limits;
  return {
    tokens: i32(T),
    positions: i32(T),
    seqs: i32(T),
    blockTable: i32(S, tableWidth),
    cos: f32(T, hyperparameters.ropeDimensionCount / 2),
    sin: f32(T, hyperparameters.ropeDimensionCount / 2),
    residual: f32(T, C),
    normed: f32(T, C),
    q: f32(T, headCount * keyLength),
    k: f32(T, headCountKv * keyLength),
    v: f32(T, headCountKv * keyLength),
    attended: f32(T, headCount * keyLength),
    ...(output && { output: { rows: i32(N), normed: f32(N, C), logits: f32(N, vocabSize) } }),
    ...feedForwardShapes(hyperparameters, T),
  };
}

function feedForwardShapes(
  { embeddingLength: C, feedForwardLength: F, experts }: Hyperparameters,
  T: number,
): Pick<BufferShapes, 'mlp' | 'experts' | 'sharedExpert'> {
  if (!experts) return { mlp: { gate: f32(T, F), up: f32(T, F) } };
  const { count, used, feedForwardLength: expertF, sharedFeedForwardLength: sharedF } = experts;
  return {
    experts: {
      routerLogits: f32(T, count),
      ids: i32(T, used),
      weights: f32(T, used),
      gate: f32(T * used, expertF),
      up: f32(T * used, expertF),
      outputs: f32(T * used, C),
      mixed: f32(T, C),
    },
    ...(sharedF > 0 && {
      sharedExpert: { gate: f32(T, sharedF), up: f32(T, sharedF), sharedGate: f32(T, 1), gated: f32(T, C) },
    }),
  };
}

/** Bytes of all the buffers. */
export function bufferBytes(shapes: BufferShapes): number {
  let bytes = 0;
  mapLeaves(shapes, isShape, ({ shape }) => {
    bytes += 4 * shape.reduce((a, b) => a * b, 1);
  });
  return bytes;
}

/** @param alloc of the device */
export function allocateBuffers(alloc: Device['alloc'], shapes: BufferShapes): Buffers {
  return mapLeaves(shapes, isShape, ({ dtype, shape }, name) => alloc(dtype, shape, name)) as unknown as Buffers;
}

/** The same buffers, each tensor changed. */
export function mapBuffers<Group extends object>(group: Group, change: (tensor: Tensor) => Tensor): Group {
  return mapLeaves(group, isTensor, change) as Group;
}

const isShape = (value: object): value is BufferShape => 'shape' in value;
const isTensor = (value: object): value is Tensor => 'byteLength' in value;

/** A copy of nested records with every leaf changed. */
function mapLeaves<Leaf extends object>(
  group: object,
  isLeaf: (value: object) => value is Leaf,
  change: (leaf: Leaf, name: string) => unknown,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(group).map(([name, value]: [string, object]) => [
      name,
      isLeaf(value) ? change(value, name) : mapLeaves(value, isLeaf, change),
    ]),
  );
}

/** [cells, kvDim] of one of the two caches of a layer. */
export const cacheShape = ({ headCountKv, keyLength }: Hyperparameters, { blocks, blockTokens }: BatchLimits) => [
  blocks * blockTokens,
  headCountKv * keyLength,
];

/** Bytes of the caches of so many layers. */
export function cacheBytes(hyperparameters: Hyperparameters, limits: BatchLimits, layers: number): number {
  const [cells, kvDim] = cacheShape(hyperparameters, limits);
  const { k, v } = limits.cacheTypes;
  return layers * cells * (rowBytes(dtypeByName(k), kvDim) + rowBytes(dtypeByName(v), kvDim));
}

/** Of blocks `firstBlock` … `endBlock - 1`. */
export function allocateCaches(
  alloc: Device['alloc'],
  hyperparameters: Hyperparameters,
  limits: BatchLimits,
  { firstBlock, endBlock }: { firstBlock: number; endBlock: number },
): LayerCache[] {
  const shape = cacheShape(hyperparameters, limits);
  const { cacheTypes } = limits;
  return Array.from({ length: endBlock - firstBlock }, (_, i) => ({
    k: alloc(cacheTypes.k, shape, `k cache of block ${firstBlock + i}`),
    v: alloc(cacheTypes.v, shape, `v cache of block ${firstBlock + i}`),
  }));
}
