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

/** `count` bytes of eight rows each, which meet sums of activations, as pairs of words: rows 0–3, then rows 4–7. */
@inline
export function storeWeights(bytes: usize, count: usize, signed: bool, to: usize): void {
  for (const end = bytes + 8 * count; bytes < end; bytes += 16) {
    const even = signed ? v128.load8x8_s(bytes) : v128.load8x8_u(bytes);
    const odd = signed ? v128.load8x8_s(bytes, 8) : v128.load8x8_u(bytes, 8);
    v128.store(to, v128.shuffle<u16>(even, odd, 0, 8, 1, 9, 2, 10, 3, 11));
    v128.store(to, v128.shuffle<u16>(even, odd, 4, 12, 5, 13, 6, 14, 7, 15), 16);
    to += WORD;
  }
}

/** Adds a block with minima to the results of four tokens. `units`: d and dmin; `mins`: words of `count` minima. */
export function addFourBlocks(
  y: usize,
  list: usize,
  steps: usize,
  units: usize,
  sums: usize,
  mins: usize,
  count: usize,
  places: usize,
): void {
  const d0 = v128.load(units), d1 = v128.load(units, 16), dmin0 = v128.load(units, 32), dmin1 = v128.load(units, 48);
  for (const end = y + 128; y < end; y += 32) {
    const row = <usize>load<u32>(list), step = v128.load32_splat(row + steps);
    let below0 = i32x4.splat(0), below1 = below0, place = row + places;
    for (let at = mins; at < mins + 16 * count; at += WORD) {
      const pair = v128.load32_splat(place);
      below0 = i32x4.add(below0, i32x4.dot_i16x8_s(v128.load(at), pair));
      below1 = i32x4.add(below1, i32x4.dot_i16x8_s(v128.load(at, 16), pair));
      place += 4;
    }
    v128.store(y, addBlockWithMin(v128.load(y), step, d0, v128.load(sums), dmin0, below0));
    v128.store(y, addBlockWithMin(v128.load(y, 16), step, d1, v128.load(sums, 16), dmin1, below1), 16);
    list += 8;
    sums += 32;
  }
}

/** The same for a type whose codes are all `2^shift` too large: `scales` are words of the `count` scales of sub-blocks. */
export function addFourShifted(
  y: usize,
  list: usize,
  steps: usize,
  units: usize,
  sums: usize,
  scales: usize,
  count: usize,
  places: usize,
  shift: i32,
): void {
  const d0 = v128.load(units), d1 = v128.load(units, 16);
  for (const end = y + 128; y < end; y += 32) {
    const row = <usize>load<u32>(list), step = v128.load32_splat(row + steps);
    let above0 = i32x4.splat(0), above1 = above0, place = row + places;
    for (let at = scales; at < scales + 16 * count; at += WORD) {
      const pair = v128.load32_splat(place);
      above0 = i32x4.add(above0, i32x4.dot_i16x8_s(v128.load(at), pair));
      above1 = i32x4.add(above1, i32x4.dot_i16x8_s(v128.load(at, 16), pair));
      place += 4;
    }
    const sum0 = i32x4.sub(v128.load(sums), i32x4.shl(above0, shift));
    const sum1 = i32x4.sub(v128.load(sums, 16), i32x4.shl(above1, shift));
    v128.store(y, addBlock(v128.load(y), step, d0, sum0));
    v128.store(y, addBlock(v128.load(y, 16), step, d1, sum1), 16);
    list += 8;
    sums += 32;
  }
}
