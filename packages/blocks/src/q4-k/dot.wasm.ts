// Q4_K (layout.ts) against activations in 8 bits: d · Σ sc · q · x − dmin · Σ m · x.
import { WORD_NIBBLE } from '../activations/constants.wasm';
import {
  NEXT,
  NIBBLE_MASK,
  dotHighNibbles,
  dotLowNibbles,
  dropTwoScales,
  firstTwoScales,
  scaleSums,
} from '../activations/products.wasm';
import { f16ToF32 } from '../half.wasm';
import { minBytes, scaleBytes } from './layout.wasm';

/** One row's dot products. */
export function dotQ4_K(w: usize, x: usize, sums: usize, blocks: usize, out: usize, units: usize): void {
  const nibble = v128.load(NIBBLE_MASK);
  for (const end = w + 144 * blocks; w < end; w += 144) {
    let scales = widen(scaleBytes(w + 4));
    let sum = i32x4.splat(0);
    let qs = w + 16;
    for (const last = w + 144; qs < last; qs += 32) {
      const a = v128.load(qs);
      const b = v128.load(qs, 16);
      // Eight weights of at most 15 · 127 each per lane fit 16 bits.
      const low = i32x4.add(dotLowNibbles(a, nibble, x), dotLowNibbles(b, nibble, x + NEXT));
      const high = i32x4.add(dotHighNibbles(a, nibble, x + 2 * NEXT), dotHighNibbles(b, nibble, x + 3 * NEXT));
      sum = i32x4.add(sum, scaleSums(low, high, firstTwoScales(scales)));
      scales = dropTwoScales(scales);
      x += 4 * NEXT;
    }
    v128.store(out, sum);
    v128.store(out, dotMins(widen(minBytes(w + 4)), sums), 64);
    storeUnits(w, units);
    sums += 32;
    out += 128;
    units += 32;
  }
}

/** One block as integers: sc · q, then m for every 16 weights. */
export function unpackQ4_K(src: usize, dst: usize): void {
  const nibble = v128.load(WORD_NIBBLE);
  const mins = widen(minBytes(src + 4));
  let scales = scaleBytes(src + 4);
  let codes = dst;
  for (let qs = src + 16; qs < src + 144; qs += 32) {
    const low = i16x8.splat(<i16>(scales & 63));
    const high = i16x8.splat(<i16>((scales >> 8) & 63));
    for (let half: usize = 0; half < 32; half += 16) {
      const packed = v128.load(qs + half);
      const to = codes + 2 * half;
      v128.store(to, i16x8.mul(v128.and(packed, nibble), low));
      v128.store(to, i16x8.mul(v128.and(i16x8.shr_u(packed, 8), nibble), low), 16);
      v128.store(to, i16x8.mul(v128.and(i16x8.shr_u(packed, 4), nibble), high), 64);
      v128.store(to, i16x8.mul(i16x8.shr_u(packed, 12), high), 80);
    }
    scales >>= 16;
    codes += 128;
  }
  storeMins(dst + 512, mins);
  storeUnits(src, dst + 544, 4);
}

@inline
export function widen(bytes: u64): v128 {
  return i16x8.extend_low_i8x16_u(i64x2.splat(bytes));
}

/** Σ m · x in four parts: each minimum meets two sums of 16 activations. */
@inline
export function dotMins(mins: v128, sums: usize): v128 {
  return i32x4.add(
    i32x4.dot_i16x8_s(v128.shuffle<u16>(mins, mins, 0, 8, 1, 9, 2, 10, 3, 11), v128.load(sums)),
    i32x4.dot_i16x8_s(v128.shuffle<u16>(mins, mins, 4, 12, 5, 13, 6, 14, 7, 15), v128.load(sums, 16)),
  );
}

@inline
export function storeMins(dst: usize, mins: v128): void {
  v128.store(dst, v128.shuffle<u16>(mins, mins, 0, 8, 1, 9, 2, 10, 3, 11));
  v128.store(dst, v128.shuffle<u16>(mins, mins, 4, 12, 5, 13, 6, 14, 7, 15), 16);
}

/** d and dmin, which begin every block, as F32 `apart` bytes from each other. */
@inline
export function storeUnits(block: usize, units: usize, apart: usize = 16): void {
  store<f32>(units, f16ToF32(load<u16>(block)));
  store<f32>(units + apart, f16ToF32(load<u16>(block, 2)));
}
