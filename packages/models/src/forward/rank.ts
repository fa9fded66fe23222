// One device's part of a model: what it has loaded, and how a batch enters it.
import type { Device, Tensor } from '@quern/runtime';
import type { Hyperparameters } from '../hyperparameters.ts';
import { type BatchLimits, type Buffers, type LayerCache, mapBuffers } from './buffers.ts';
import type { HeldWeights } from './held-weights.ts';
import type { TokenBatch } from './model.ts';
import type { BatchPass } from './pass.ts';
import { fillRope, type RopeFrequencies } from './rope.ts';

export interface Rank {
  readonly device: Device;
  /** Of the part of the network that this device computes. */
  readonly hyperparameters: Hyperparameters;
  readonly held: HeldWeights;
  /** One per block of the device. */
  readonly caches: readonly LayerCache[];
  readonly buffers: Buffers;
}

/** The residual stream is left to the caller to fill. */
export function startPass(
  rank: Rank,
  batch: TokenBatch,
  limits: BatchLimits,
  rope: RopeFrequencies,
  observe: BatchPass['observe'],
): BatchPass {
  const { device, hyperparameters } = rank;
  const buffers = viewsOf(rank, batch, limits);
  device.write(buffers.tokens, bytesOf(batch.tokens));
  device.write(buffers.positions, bytesOf(batch.positions));
  device.write(buffers.seqs, bytesOf(batch.seqs));
  device.write(buffers.blockTable, bytesOf(batch.blockTable));
  writeRope(device, rope, batch.positions, buffers);
  return { device, hyperparameters, buffers, blockTokens: limits.blockTokens, observe };
}

function writeRope(device: Device, rope: RopeFrequencies, positions: Int32Array, { cos, sin }: Buffers): void {
  const size = positions.length * rope.inverse.length;
  const cosines = new Float32Array(size);
  const sines = new Float32Array(size);
  fillRope(rope, positions, cosines, sines);
  device.write(cos, bytesOf(cosines));
  device.write(sin, bytesOf(sines));
}

/** The first T tokens and S sequences of every buffer; the output's are cut when it is known how many are wanted. */
function viewsOf({ device, buffers }: Rank, batch: TokenBatch, limits: BatchLimits): Buffers {
  const T = batch.tokens.length;
  // A buffer may have several rows per token: one for each expert it uses.
  const first = (tensor: Tensor): Tensor => {
    const [rows, ...rest] = tensor.shape;
    return device.view(tensor, [(T * rows!) / limits.batchTokens, ...rest]);
  };
  const { output, blockTable, ...perToken } = buffers;
  const sequences = batch.blockTable.length / limits.tableWidth;
  const table = device.view(blockTable, [sequences, limits.tableWidth]);
  return { ...mapBuffers(perToken, first), output, blockTable: table };
}

export const bytesOf = (array: Int32Array | Float32Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
