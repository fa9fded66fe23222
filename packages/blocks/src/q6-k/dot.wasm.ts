// Q6_K (layout.ts) against activations in 8 bits: d · Σ sc · (q − 32) · x.
import { FIFTH_SIXTH, LOW_BYTE, MINUS_32, NIBBLES } from '../activations/constants.wasm';
import { BYTES_MASK, NEXT, dotBytes, dropTwoScales, firstTwoScales, scaleSums } from '../activations/products.wasm';
import { f16ToF32 } from '../half.wasm';

/** One row's dot products. */
export function dotQ6_K(w: usize, x: usize, sums: usize, blocks: usize, out: usize, units: usize): void {
  const mask = v128.load(BYTES_MASK);
  const nibbles = v128.load(NIBBLES);
  const upper = v128.load(FIFTH_SIXTH);
  for (const end = w + 210 * blocks; w < end; w += 210) {
    const stored = v128.load(w, 192);
    let scales = i16x8.extend_low_i8x16_s(stored);
    const highScales = i16x8.extend_high_i8x16_s(stored);
    let sum = i32x4.shl(
      i32x4.add(
        i32x4.dot_i16x8_s(scales, v128.load(sums)),
        i32x4.dot_i16x8_s(highScales, v128.load(sums, 16)),
      ),
      5,
    );
    sum = i32x4.neg(sum);
    for (let half: usize = 0; half < 2; half++) {
      const ql = w + 64 * half;
      const qh = w + 32 * half + 128;
      // Four weights of at most 63 · 127 each per lane fit 16 bits.
      let a = dotBytes(firstCodes(v128.load(ql), i16x8.shl(v128.load(qh), 4), nibbles, upper), mask, x);
      let b = dotBytes(firstCodes(v128.load(ql, 16), i16x8.shl(v128.load(qh, 16), 4), nibbles, upper), mask, x + NEXT);
      sum = i32x4.add(sum, scaleSums(a, b, firstTwoScales(scales)));
      scales = dropTwoScales(scales);
      a = dotBytes(firstCodes(v128.load(ql, 32), i16x8.shl(v128.load(qh), 2), nibbles, upper), mask, x + 2 * NEXT);
      b = dotBytes(firstCodes(v128.load(ql, 48), i16x8.shl(v128.load(qh, 16), 2), nibbles, upper), mask, x + 3 * NEXT);
      sum = i32x4.add(sum, scaleSums(a, b, firstTwoScales(scales)));
      scales = dropTwoScales(scales);
      a = dotBytes(lastCodes(v128.load(ql), v128.load(qh), nibbles, upper), mask, x + 4 * NEXT);
      b = dotBytes(lastCodes(v128.load(ql, 16), v128.load(qh, 16), nibbles, upper), mask, x + 5 * NEXT);
      sum = i32x4.add(sum, scaleSums(a, b, firstTwoScales(scales)));
      scales = dropTwoScales(scales);
      a = dotBytes(lastCodes(v128.load(ql, 32), i16x8.shr_u(v128.load(qh), 2), nibbles, upper), mask, x + 6 * NEXT);
      b = dotBytes(lastCodes(v128.load(ql, 48), i16x8.shr_u(v128.load(qh, 16), 2), nibbles, upper), mask, x + 7 * NEXT);
      sum = i32x4.add(sum, scaleSums(a, b, firstTwoScales(scales)));
      scales = highScales;
      x += 8 * NEXT;
    }
    v128.store(out, sum);
    store<f32>(units, f16ToF32(load<u16>(w, 208)));
    sums += 32;
    out += 128;
    units += 32;
  }
}

/** One block as integers: sc · (q − 32). */
export function unpackQ6_K(src: usize, dst: usize): void {
  const nibbles = v128.load(NIBBLES);
  const upper = v128.load(FIFTH_SIXTH);
  for (let half: usize = 0; half < 2; half++) {
    for (let part: usize = 0; part < 2; part++) {
      const ql = src + 64 * half + 16 * part;
      const qh = v128.load(src + 32 * half + 16 * part, 128);
      const scales = src + 192 + 8 * half + part;
      const codes = dst + 256 * half + 32 * part;
      const low = v128.load(ql);
      const high = v128.load(ql, 32);
      storeScaled(codes, firstCodes(low, i16x8.shl(qh, 4), nibbles, upper), load<i8>(scales));
      storeScaled(codes + 64, firstCodes(high, i16x8.shl(qh, 2), nibbles, upper), load<i8>(scales, 2));
      storeScaled(codes + 128, lastCodes(low, qh, nibbles, upper), load<i8>(scales, 4));
      storeScaled(codes + 192, lastCodes(high, i16x8.shr_u(qh, 2), nibbles, upper), load<i8>(scales, 6));
    }
  }
  store<f32>(dst, f16ToF32(load<u16>(src, 208)), 544);
}

/** Codes whose lower bits are the low nibbles of `packed`; `bits` has the upper two in place. */
@inline
function firstCodes(packed: v128, bits: v128, nibbles: v128, upper: v128): v128 {
  return v128.or(v128.and(packed, nibbles), v128.and(bits, upper));
}

/** The same for the high nibbles. */
@inline
function lastCodes(packed: v128, bits: v128, nibbles: v128, upper: v128): v128 {
  return v128.or(v128.and(i16x8.shr_u(packed, 4), nibbles), v128.and(bits, upper));
}

@inline
function storeScaled(dst: usize, codes: v128, scale: i32): void {
  const minus32 = v128.load(MINUS_32);
  const factor = i16x8.splat(<i16>scale);
  v128.store(dst, i16x8.mul(i16x8.add(v128.and(codes, v128.load(LOW_BYTE)), minus32), factor));
  v128.store(dst, i16x8.mul(i16x8.add(i16x8.shr_u(codes, 8), minus32), factor), 16);
}
