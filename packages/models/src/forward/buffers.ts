// The memory of one device that a batch passes through, allocated once at its largest size; each batch takes views of it.
// Blocks of one kind share their scratch: a buffer for every role and shape, however many blocks there are.
import type { Device, Tensor } from '@quern/runtime';
import { adapterBuffers } from './adapters/adapter-buffers.ts';
import type { BatchLimits } from './batch-limits.ts';
import { draftBuffers } from './draft/draft-buffers.ts';
import { addsRows } from './embed-tokens.ts';
import { highestBuffers, MOST_HIGHEST_LOGITS } from './highest-logits.ts';
import type { Holding } from './holding.ts';
import { type BlockSpec, type Network, partsOf, type RoomSpec } from './network.ts';
import { perLayerInputs, perLayerTable, perLayerWidth } from './per-layer-inputs.ts';
import { denseBuffer, poolingBuffers } from './pooling.ts';
import type { ScratchShape } from './room.ts';
import { roomOf } from './rooms.ts';
import { distinctRopes } from './rope.ts';
import { ringBlocks } from './state/ring.ts';
import { distinctTemperatures } from './temperature.ts';

export interface BufferShape {
  readonly dtype: 'F32' | 'I32';
  /** What its first dimension counts. */
  readonly per: 'token' | 'sequence' | 'output';
  /** Rows for each of them. */
  readonly rows: number;
  /** Scalars of a row; undefined: a vector. */
  readonly width?: number;
  readonly counting?: true;
  /** For people. */
  readonly label: string;
}

/** By the name under which a pass asks for a view. */
export type BufferShapes = ReadonlyMap<string, BufferShape>;
export type Buffers = ReadonlyMap<string, Tensor>;

const integers = (per: BufferShape['per'], width?: number) => ({ dtype: 'I32', per, rows: 1, width }) as const;
const floats = (per: BufferShape['per'], width: number) => ({ dtype: 'F32', per, rows: 1, width }) as const;

/** Every shape: what will be allocated, and what the memory check counts. */
export function bufferShapes(network: Network, limits: BatchLimits, holding: Holding): BufferShapes {
  const { embeddingLength: C, vocabSize } = network;
  const blocks = network.blocks.slice(holding.firstBlock, holding.endBlock);
  const shapes = new Map<string, BufferShape>();
  const add = (name: string, shape: Omit<BufferShape, 'label'>, label = name): void => {
    shapes.set(name, { ...shape, label });
  };
  add('tokens', integers('token'));
  add('positions', integers('token'));
  add('seqs', integers('token'));
  add('blockTable', integers('sequence', limits.tableWidth), 'block table');
  for (const ring of ringsOf(blocks, limits))
    add(ringBuffer(ring), integers('sequence', limits.tableWidth), 'block table');
  add('slots', integers('sequence'));
  add('residual', floats('token', C));
  if (holding.embedding && addsRows(network.embedding)) {
    add('embedded', floats('token', C));
    add('types', integers('token'));
  }
  if (blocks.length > 0) {
    add('normed', floats('token', C));
    add('addend', floats('token', C));
  }
  if (network.embedding.perLayer) {
    add(perLayerInputs, floats('token', perLayerWidth(network)), 'per-layer inputs');
    if (holding.embedding) add(perLayerTable, floats('token', perLayerWidth(network)), 'per-layer inputs');
  }
  // What only parts beside others need.
  if (blocks.some(({ subLayers }) => subLayers.some(({ parts }) => parts.length > 1))) add('part', floats('token', C));
  if (blocks.some((block) => partsOf(block).some(({ before }) => before))) add('partNormed', floats('token', C));
  for (const name of distinctTemperatures(blocks).keys()) add(name, floats('token', 1), 'temperature');
  for (const [key, { dims }] of distinctRopes(blocks))
    for (const name of ropeBuffers(key)) add(name, floats('token', dims / 2), 'rope');
  for (const { room, spec } of blocks.flatMap(roomsOf))
    for (const [role, shape] of Object.entries(room.scratch(spec, C)))
      add(scratchName(role, shape), { ...shape, per: 'token', rows: shape.rowsPerToken }, role);
  for (const [name, shape] of adapterBuffers(holding.pairs ?? [])) shapes.set(name, shape);
  if (holding.draft) {
    for (const name of [draftBuffers.networkHidden, draftBuffers.ownHidden, draftBuffers.half])
      add(name, floats('token', C), 'hidden states');
    add(draftBuffers.join, floats('token', 2 * C), 'hidden states');
    add(draftBuffers.rows, integers('token'), 'rows');
  }
  if (holding.output) {
    add('outputRows', integers('output'), 'rows');
    add('outputNormed', floats('output', C), 'normed');
    if (!network.output.headless) {
      add('logits', floats('output', vocabSize));
      add(
        highestBuffers.words,
        integers('output', 2 * Math.min(MOST_HIGHEST_LOGITS, vocabSize) + 1),
        'likeliest tokens',
      );
      add(highestBuffers.sums, { dtype: 'F32', per: 'output', rows: 1 });
    }
    if (network.pooling) {
      add(poolingBuffers.hidden, floats('token', C));
      add(poolingBuffers.pooled, floats('sequence', C));
      add(poolingBuffers.rows, integers('sequence'));
      for (const [i, { rows }] of network.pooling.dense.entries()) add(denseBuffer(i), floats('sequence', rows));
    }
  }
  return shapes;
}

const roomsOf = (block: BlockSpec) => partsOf(block).map(({ room: spec }) => ({ room: roomOf(spec), spec }));

/** Sizes of the rings of some blocks, in cache blocks. */
export function ringsOf(blocks: readonly BlockSpec[], limits: BatchLimits): Set<number> {
  const states = blocks.flatMap(roomsOf).flatMap(({ room, spec }) => Object.values(room.state?.(spec) ?? {}));
  const rings = states.map((state) => (state.kind === 'paged' ? ringBlocks(state.window, limits) : undefined));
  return new Set(rings.filter((ring) => ring !== undefined));
}

/** Name of the block table of a ring. */
export const ringBuffer = (ring: number): string => `ring of ${ring}`;

/** Names of the tables of a rope. */
export const ropeBuffers = (key: string): readonly [cos: string, sin: string] => [`cos ${key}`, `sin ${key}`];

const scratchName = (role: string, { dtype, rowsPerToken, width, counting }: ScratchShape): string =>
  `${role} ${counting ? 'counting' : dtype} ${rowsPerToken} ${width}`;

/** Names of a part's scratch buffers by role; every batch asks for them. `width`: C, the same for one spec. */
export function scratchNames(spec: RoomSpec, width: number): readonly (readonly [role: string, name: string])[] {
  const known = namesBySpec.get(spec);
  if (known) return known;
  const shapes = Object.entries(roomOf(spec).scratch(spec, width));
  const names = shapes.map(([role, shape]) => [role, scratchName(role, shape)] as const);
  namesBySpec.set(spec, names);
  return names;
}

const namesBySpec = new WeakMap<RoomSpec, ReturnType<typeof scratchNames>>();

/** The shape of a buffer for so many tokens, sequences or outputs. */
export const shapeFor = ({ rows, width }: BufferShape, count: number): number[] =>
  width === undefined ? [count * rows] : [count * rows, width];

const mostOf = ({ batchTokens, maxSequences, maxOutputs }: BatchLimits) => ({
  token: batchTokens,
  sequence: maxSequences,
  output: maxOutputs,
});

/** At its largest. */
export const largestShape = (shape: BufferShape, limits: BatchLimits): number[] =>
  shapeFor(shape, mostOf(limits)[shape.per]);

/** Bytes of all the buffers. */
export function bufferBytes(shapes: BufferShapes, limits: BatchLimits): number {
  let bytes = 0;
  for (const shape of shapes.values()) bytes += 4 * largestShape(shape, limits).reduce((a, b) => a * b, 1);
  return bytes;
}

/** @param alloc of the device */
export function allocateBuffers(
  device: Pick<Device, 'write'>,
  alloc: Device['alloc'],
  shapes: BufferShapes,
  limits: BatchLimits,
): Buffers {
  const buffers = new Map<string, Tensor>();
  for (const [name, shape] of shapes) {
    const largest = largestShape(shape, limits);
    const tensor = alloc(shape.dtype, largest, shape.label);
    if (shape.counting) device.write(tensor, counted(largest));
    buffers.set(name, tensor);
  }
  return buffers;
}

/** 0 … width − 1 in every row. */
function counted(shape: readonly number[]): Uint8Array {
  const [rows, width] = shape as [number, number];
  return new Uint8Array(Int32Array.from({ length: rows * width }, (_, i) => i % width).buffer);
}
