// What kernels of four tokens share (`dot-four.wasm.ts` of the types; relaxed SIMD alone): results and sums of four tokens, [token][row],
// and what minima, or the offset of all codes, take away. A list names tokens as matmul does: 8 bytes each, the first four of them
// the row of activations.
import { WORD, addBlock, addBlockWithMin } from './rows8.wasm';

/** Four times eight numbers. */
@inline
export function clearFour(at: usize): void {
  for (const end = at + 128; at < end; at += 16) v128.store(at, i32x4.splat(0));
}

/** Adds a · first + b · second to four numbers. */
@inline
export function addScaled(at: usize, a: v128, first: v128, b: v128, second: v128): void {
  v128.store(at, i32x4.add(v128.load(at), i32x4.add(i32x4.mul(a, first), i32x4.mul(b, second))));
}

/**
 * Adds a block to the results of four tokens. `words`: of the `count` numbers that meet the sums of activations at `places`; they are
 * minima, whose dmin follows d in `units`, or, where `offset` is not 0, scales: all codes of the block are larger by it than meant.
 */
export function addFourBlocks(
  y: usize,
  list: usize,
  steps: usize,
  units: usize,
  sums: usize,
  words: usize,
  count: usize,
  places: usize,
  offset: i32,
): void {
  const d0 = v128.load(units), d1 = v128.load(units, 16), off = i32x4.splat(offset);
  for (const end = y + 128; y < end; y += 32) {
    const row = <usize>load<u32>(list), step = v128.load32_splat(row + steps);
    const sum0 = v128.load(sums), sum1 = v128.load(sums, 16);
    let below0 = i32x4.splat(0), below1 = below0, place = row + places;
    for (let at = words; at < words + 16 * count; at += WORD) {
      const pair = v128.load32_splat(place);
      below0 = i32x4.add(below0, i32x4.dot_i16x8_s(v128.load(at), pair));
      below1 = i32x4.add(below1, i32x4.dot_i16x8_s(v128.load(at, 16), pair));
      place += 4;
    }
    if (offset) {
      v128.store(y, addBlock(v128.load(y), step, d0, i32x4.sub(sum0, i32x4.mul(below0, off))));
      v128.store(y, addBlock(v128.load(y, 16), step, d1, i32x4.sub(sum1, i32x4.mul(below1, off))), 16);
    } else {
      v128.store(y, addBlockWithMin(v128.load(y), step, d0, sum0, v128.load(units, 32), below0));
      v128.store(y, addBlockWithMin(v128.load(y, 16), step, d1, sum1, v128.load(units, 48), below1), 16);
    }
    list += 8;
    sums += 32;
  }
}
