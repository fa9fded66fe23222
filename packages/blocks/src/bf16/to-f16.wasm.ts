// BF16 → F16 without the detour through F32. BF16 has 8 significant bits, so within the normal range of F16 the
// conversion is exact: shift the magnitude by 3 and rebias the exponent, all in 16-bit lanes. Others go through F32.
import { f32ToF16, f32ToF16x4 } from '../half.wasm';

const MAGNITUDE = memory.data<u16>([0x7fff, 0x7fff, 0x7fff, 0x7fff, 0x7fff, 0x7fff, 0x7fff, 0x7fff], 16);
/** 2^-14, the least normal F16, as BF16. */
const LEAST = memory.data<u16>([0x3880, 0x3880, 0x3880, 0x3880, 0x3880, 0x3880, 0x3880, 0x3880], 16);
/** 2^16 as BF16, less LEAST: magnitudes at or beyond that distance overflow F16. */
const SPAN = memory.data<u16>([0x0f00, 0x0f00, 0x0f00, 0x0f00, 0x0f00, 0x0f00, 0x0f00, 0x0f00], 16);
const F16_LEAST = memory.data<u16>([0x0400, 0x0400, 0x0400, 0x0400, 0x0400, 0x0400, 0x0400, 0x0400], 16);

/** `count` numbers of 2 bytes at `src` → as many of 2 bytes at `dst`. */
export function convertBF16_F16(src: usize, dst: usize, count: usize): void {
  const end = src + count * 2;
  const end8 = src + (count & ~7) * 2;
  const mask = v128.load(MAGNITUDE);
  const least = v128.load(LEAST);
  const span = v128.load(SPAN);
  const f16Least = v128.load(F16_LEAST);
  const zero = i64x2.splat(0);
  while (src < end8) {
    const values = v128.load(src);
    const magnitude = v128.and(values, mask);
    const above = i16x8.sub(magnitude, least);
    const isZero = i16x8.eq(magnitude, zero);
    if (i16x8.all_true(v128.or(i16x8.lt_u(above, span), isZero))) {
      const normal = i16x8.add(i16x8.shl(above, 3), f16Least);
      v128.store(dst, v128.or(v128.andnot(values, mask), v128.andnot(normal, isZero)));
    } else {
      const low = f32ToF16x4(v128.shuffle<i16>(zero, values, 0, 8, 1, 9, 2, 10, 3, 11));
      const high = f32ToF16x4(v128.shuffle<i16>(zero, values, 4, 12, 5, 13, 6, 14, 7, 15));
      v128.store(dst, i16x8.narrow_i32x4_u(low, high));
    }
    src += 16;
    dst += 16;
  }
  while (src < end) {
    store<u16>(dst, f32ToF16(reinterpret<f32>(<u32>load<u16>(src) << 16)));
    src += 2;
    dst += 2;
  }
}
