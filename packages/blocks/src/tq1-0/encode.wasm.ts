// F32 → TQ1_0 (layout.ts), the arithmetic of reference.ts on four weights at a time.
import { f32ToF16 } from '../half.wasm';
import { ternaryCodes, ternaryInverse, ternaryScale } from '../tq2-0/ternary.wasm';

/** 256 floats each at `src` → `blocks` blocks of 54 bytes at `dst`. */
export function encodeTQ1_0(src: usize, dst: usize, blocks: usize): void {
  for (let block: usize = 0; block < blocks; block++) {
    const scale = ternaryScale(src);
    const inverse = ternaryInverse(scale);
    v128.store(dst, fiveDigits(src, 128, inverse));
    v128.store(dst, fiveDigits(src + 64, 128, inverse), 16);
    v128.store(dst, fiveDigits(src + 640, 64, inverse), 32);
    store<u32>(dst, fourDigits(ternaryCodes(src + 960, inverse)), 48);
    store<u16>(dst, f32ToF16(scale), 52);
    src += 1024;
    dst += 54;
  }
}

/** Sixteen bytes, each of the codes of five weights `stride` bytes apart. */
@inline
function fiveDigits(src: usize, stride: usize, inverse: v128): v128 {
  let number = ternaryCodes(src, inverse);
  for (let n: usize = 1; n < 5; n++) {
    number = i8x16.add(i8x16.add(number, i8x16.add(number, number)), ternaryCodes(src + n * stride, inverse));
  }
  return i8x16.narrow_i16x8_u(asByte(i16x8.extend_low_i8x16_u(number)), asByte(i16x8.extend_high_i8x16_u(number)));
}

/** Four bytes, byte m of the codes m, m + 4, m + 8 and m + 12 and a 0. */
@inline
function fourDigits(codes: v128): u32 {
  const powers = i16x8(81, 81, 81, 81, 27, 27, 27, 27);
  const first = i16x8.mul(i16x8.extend_low_i8x16_u(codes), powers);
  const last = i16x8.mul(i16x8.extend_high_i8x16_u(codes), i16x8(9, 9, 9, 9, 3, 3, 3, 3));
  const sums = i16x8.add(first, last);
  const number = i16x8.add(sums, v128.shuffle<u64>(sums, sums, 1, 0));
  return i32x4.extract_lane(i8x16.narrow_i16x8_u(asByte(number), number), 0);
}

/** Of each number n below 243, n · 256 / 243 rounded up: n + ⌊(13 n + 242) / 243⌋, the division by way of 2^22 / 243. */
@inline
function asByte(number: v128): v128 {
  const dividend = i16x8.add(i16x8.mul(number, i16x8.splat(13)), i16x8.splat(242));
  const reciprocal = i16x8.splat(17261);
  const low = i32x4.shr_u(i32x4.extmul_low_i16x8_u(dividend, reciprocal), 22);
  const high = i32x4.shr_u(i32x4.extmul_high_i16x8_u(dividend, reciprocal), 22);
  return i16x8.add(number, i16x8.narrow_i32x4_s(low, high));
}
