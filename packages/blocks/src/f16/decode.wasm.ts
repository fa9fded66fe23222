// F16 → F32: sign, exponent and mantissa moved to where an F32 has them make the number 2^−112 times too small, subnormal
// or not; only infinities and NaN want another way.
import { f16ToF32, f16ToF32x4 } from '../half.wasm';

/** Sign, and the other bits three places lower: the upper half of an F32. */
const UPPER = memory.data<u16>([0x8fff, 0x8fff, 0x8fff, 0x8fff, 0x8fff, 0x8fff, 0x8fff, 0x8fff], 16);
/** The difference of the exponents' biases: 2^112. */
const REBIAS = memory.data<u32>([0x77800000, 0x77800000, 0x77800000, 0x77800000], 16);
/** Infinity without its sign and doubled; nothing finite reaches it. */
const LEAST_OTHER: u16 = 0xf800;

/** `count` numbers. */
export function decodeF16(src: usize, dst: usize, count: usize): void {
  const upperBits = v128.load(UPPER);
  const rebias = v128.load(REBIAS);
  let largest = i16x8.splat(0);
  const whole = count & ~7;
  for (let i: usize = 0; i < whole; i += 8) {
    const halves = v128.load(src + i * 2);
    largest = i16x8.max_u(largest, i16x8.shl(halves, 1));
    const upper = v128.and(i16x8.shr_s(halves, 3), upperBits);
    const lower = i16x8.shl(halves, 13);
    v128.store(dst + i * 4, f32x4.mul(v128.shuffle<u16>(lower, upper, 0, 8, 1, 9, 2, 10, 3, 11), rebias));
    v128.store(dst + i * 4, f32x4.mul(v128.shuffle<u16>(lower, upper, 4, 12, 5, 13, 6, 14, 7, 15), rebias), 16);
  }
  if (v128.any_true(i16x8.ge_u(largest, i16x8.splat(LEAST_OTHER)))) decodeAny(src, dst, whole);
  for (let i = whole; i < count; i++) store<f32>(dst + i * 4, f16ToF32(load<u16>(src + i * 2)));
}

/** Numbers of which some are infinite or NaN, eight at a time. */
function decodeAny(src: usize, dst: usize, count: usize): void {
  for (let i: usize = 0; i < count; i += 8) {
    const halves = v128.load(src + i * 2);
    v128.store(dst + i * 4, f16ToF32x4(i32x4.extend_low_i16x8_u(halves)));
    v128.store(dst + i * 4, f16ToF32x4(i32x4.extend_high_i16x8_u(halves)), 16);
  }
}
