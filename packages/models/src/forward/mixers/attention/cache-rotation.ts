// Keys and values of a quantized cache are turned by a Walsh–Hadamard matrix, which spreads a head's outliers over all its
// numbers: their blocks then round less. Queries are turned like the keys, so scores stay what they are; what comes out of
// the attention is turned back, for the matrix is its own inverse. Sizes as llama.cpp's (llama-kv-cache.cpp, 0.5.0).
import { dtypeByName } from '@quern/blocks';
import type { Device, Tensor } from '@quern/runtime';

/** Heads of other lengths are stored as they are. */
const LEAST = 64;

/** Neighbours that one matrix turns in a head of keys: the largest power of two that divides it. */
export const keyGroup = (stored: Tensor, headLength: number): number | undefined =>
  isTurned(stored, headLength) ? headLength & -headLength : undefined;

/** In a head of values: 64, which loses least. */
export const valueGroup = (stored: Tensor, headLength: number): number | undefined =>
  isTurned(stored, headLength) ? LEAST : undefined;

const isTurned = ({ dtype }: Tensor, headLength: number): boolean =>
  dtypeByName(dtype).blockSize > 1 && headLength % LEAST === 0;

/** In place; `group` undefined: as it is. */
export function turn(device: Device, x: Tensor, group: number | undefined): void {
  if (group !== undefined) device.run('hadamard', [x], x, { size: group });
}
