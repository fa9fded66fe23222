// F16 → F32.
import { f16ToF32, f16ToF32x4 } from '../half.wasm';

const MAGNITUDE = memory.data<u16>([0x7fff, 0x7fff, 0x7fff, 0x7fff, 0x7fff, 0x7fff, 0x7fff, 0x7fff], 16);
const LEAST_NORMAL = memory.data<u16>([0x0400, 0x0400, 0x0400, 0x0400, 0x0400, 0x0400, 0x0400, 0x0400], 16);
const LAST_OFFSET = memory.data<u16>([0x77ff, 0x77ff, 0x77ff, 0x77ff, 0x77ff, 0x77ff, 0x77ff, 0x77ff], 16);
/** The difference of the exponents' biases, in the upper half of an F32. */
const REBIAS = memory.data<u16>([0x3800, 0x3800, 0x3800, 0x3800, 0x3800, 0x3800, 0x3800, 0x3800], 16);

/** `count` numbers. */
export function decodeF16(src: usize, dst: usize, count: usize): void {
  const magnitude = v128.load(MAGNITUDE);
  const leastNormal = v128.load(LEAST_NORMAL);
  const lastOffset = v128.load(LAST_OFFSET);
  const rebias = v128.load(REBIAS);
  for (const whole = src + (count & ~7) * 2; src < whole; src += 16) {
    const halves = v128.load(src);
    const magnitudes = v128.and(halves, magnitude);
    const offsets = i16x8.sub(magnitudes, leastNormal);
    // Eight normal numbers: upper and lower 16 bits of the F32, then both side by side.
    if (i16x8.all_true(i16x8.eq(i16x8.min_u(offsets, lastOffset), offsets))) {
      const upper = v128.or(i16x8.add(i16x8.shr_u(magnitudes, 3), rebias), v128.andnot(halves, magnitude));
      const lower = i16x8.shl(halves, 13);
      v128.store(dst, v128.shuffle<u16>(lower, upper, 0, 8, 1, 9, 2, 10, 3, 11));
      v128.store(dst, v128.shuffle<u16>(lower, upper, 4, 12, 5, 13, 6, 14, 7, 15), 16);
    } else decodeAny(halves, dst);
    dst += 32;
  }
  for (const end = src + (count & 7) * 2; src < end; src += 2) {
    store<f32>(dst, f16ToF32(load<u16>(src)));
    dst += 4;
  }
}

/** Eight numbers of which some are zero, subnormal, infinite or NaN. */
function decodeAny(halves: v128, dst: usize): void {
  v128.store(dst, f16ToF32x4(i32x4.extend_low_i16x8_u(halves)));
  v128.store(dst, f16ToF32x4(i32x4.extend_high_i16x8_u(halves)), 16);
}
