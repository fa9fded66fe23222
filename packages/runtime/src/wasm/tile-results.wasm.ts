// What minima take away from the results of a tile: the sums of activations that they meet.
import { WORD } from '@quern/blocks/src/activations/panel.wasm';
import { sums32Of, sumsOf } from '@quern/blocks/src/activations/row.wasm';
import { subBlockOf } from './integer-types.wasm';

/** Where a row of activations has the sums of the sub-blocks of a type, from column `k` on: 16 bits each. */
@inline
export function placesOf(type: u32, cols: usize, blockSize: usize, k: usize): usize {
  const sub = subBlockOf(type);
  return (sub == 32 ? sums32Of(0, cols, blockSize) : sumsOf(0, cols, blockSize)) + (2 * k) / sub;
}

/** Σ m · x of four rows of a block with minima at `minima`, x being the sums at `sums`. A block of 32 has one, and its minima are 1. */
@inline
export function belowOf(minima: usize, type: u32, blockSize: usize, sums: usize): v128 {
  if (blockSize == 32) return i32x4.splat(load<i16>(sums));
  let below = i32x4.splat(0);
  for (const end = sums + 512 / subBlockOf(type); sums < end; sums += 4) {
    below = i32x4.add(below, i32x4.dot_i16x8_s(v128.load32_splat(sums), v128.load(minima)));
    minima += WORD;
  }
  return below;
}
