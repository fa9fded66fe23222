// One device's part of a model: what it has loaded, and how a batch enters it.
import type { Device, Tensor } from '@quern/runtime';
import { type HeldAdapters, tokenAdapters } from './adapters/adapter-pass.ts';
import type { BatchLimits } from './batch-limits.ts';
import { type BufferShapes, type Buffers, ringBuffer, ropeBuffers, shapeFor } from './buffers.ts';
import type { HeldWeights } from './held-weights.ts';
import type { TokenBatch } from './model.ts';
import type { Network } from './network.ts';
import type { BatchPass } from './pass.ts';
import { fillRope, type RopeFrequencies, ropeKey } from './rope.ts';
import type { HeldStates } from './state/held-states.ts';
import { ringBlocks, ringTable } from './state/ring.ts';
import { distinctTemperatures, temperatureFactors } from './temperature.ts';

export interface Rank {
  readonly device: Device;
  /** Of the part of the network that this device computes; its blocks are numbered as in the whole network. */
  readonly network: Network;
  readonly held: HeldWeights;
  readonly states: HeldStates;
  readonly buffers: Buffers;
  readonly bufferShapes: BufferShapes;
  /** Sizes of the rings of its blocks (state/ring.ts). */
  readonly rings: ReadonlySet<number>;
  /** What adapters add to its weights. */
  readonly adapters?: HeldAdapters;
}

/** By `ropeKey`. */
export type Ropes = ReadonlyMap<string, RopeFrequencies>;

/** The residual stream is left to the caller to fill. */
export function startPass(
  rank: Rank,
  batch: TokenBatch,
  limits: BatchLimits,
  ropes: Ropes,
  observe: BatchPass['observe'],
): BatchPass {
  const { device, states } = rank;
  const views = viewsOf(rank, batch, limits);
  const slots = slotsOf(batch, limits);
  device.write(views('tokens'), bytesOf(batch.tokens));
  device.write(views('positions'), bytesOf(batch.positions));
  device.write(views('seqs'), bytesOf(batch.seqs));
  device.write(views('blockTable'), bytesOf(batch.blockTable));
  device.write(views('slots'), bytesOf(slots));
  for (const [t, position] of batch.positions.entries()) if (position === 0) states.clearSlot(slots[batch.seqs[t]!]!);
  for (const ring of rank.rings)
    device.write(views(ringBuffer(ring)), bytesOf(ringTable(ring, slots, limits.tableWidth)));
  for (const [key, rope] of ropes)
    if (rank.buffers.has(ropeBuffers(key)[0])) writeRope(device, rope, key, batch, views);
  for (const [name, temperature] of distinctTemperatures(rank.network.blocks))
    if (rank.buffers.has(name)) device.write(views(name), bytesOf(temperatureFactors(temperature, batch.positions)));
  return {
    device,
    buffer: views,
    ropeTable: (rope) => {
      const [cos, sin] = ropeBuffers(ropeKey(rope));
      return { cos: views(cos), sin: views(sin) };
    },
    blockTable: (window) => {
      const ring = ringBlocks(window, limits);
      return views(ring === undefined ? 'blockTable' : ringBuffer(ring));
    },
    blockTokens: limits.blockTokens,
    observe,
    nameOf: (weight) => rank.held.names.get(weight)!,
    ...(rank.adapters && { adapters: tokenAdapters(rank, rank.adapters, batch) }),
  };
}

/** A sequence without a slot has that of its row. */
const slotsOf = ({ slots, blockTable }: TokenBatch, { tableWidth }: BatchLimits): Int32Array =>
  slots ?? Int32Array.from({ length: blockTable.length / tableWidth }, (_, row) => row);

function writeRope(
  device: Device,
  rope: RopeFrequencies,
  key: string,
  { positions }: TokenBatch,
  views: BatchPass['buffer'],
): void {
  const size = positions.length * rope.inverse.length;
  const cosines = new Float32Array(size);
  const sines = new Float32Array(size);
  fillRope(rope, positions, cosines, sines);
  const [cos, sin] = ropeBuffers(key);
  device.write(views(cos), bytesOf(cosines));
  device.write(views(sin), bytesOf(sines));
}

/** Gives every buffer cut to the batch: its first T tokens and S sequences. The output's are cut by who wants them. */
function viewsOf(rank: Rank, batch: TokenBatch, limits: BatchLimits): BatchPass['buffer'] {
  const { device, buffers, bufferShapes } = rank;
  const counts = { token: batch.tokens.length, sequence: batch.blockTable.length / limits.tableWidth, output: 0 };
  const views = new Map<string, Tensor>();
  return (name) => {
    const known = views.get(name);
    if (known) return known;
    const shape = bufferShapes.get(name)!;
    const view = device.view(buffers.get(name)!, shapeFor(shape, counts[shape.per]));
    views.set(name, view);
    return view;
  };
}

export const bytesOf = (array: Int32Array | Float32Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
