// F8 → F32, four numbers at a time (half.ts has the two formats).
import { f16ToF32, f16ToF32x4 } from '../half.wasm';

@inline
function e4m3ToF32x4(bytes: v128): v128 {
  const magnitude = v128.and(bytes, i32x4.splat(0x7f));
  const normal = i32x4.add(i32x4.shl(magnitude, 20), i32x4.splat(0x3c000000)); // exponent bias 7 → 127
  const subnormal = f32x4.mul(f32x4.convert_i32x4_s(magnitude), f32x4.splat(0.001953125)); // · 2^-9
  const finite = v128.bitselect(subnormal, normal, i32x4.lt_s(magnitude, i32x4.splat(8)));
  const isNan = i32x4.eq(magnitude, i32x4.splat(0x7f));
  const value = v128.bitselect(i32x4.splat(0x7fc00000), finite, isNan);
  return v128.or(value, i32x4.shl(v128.and(bytes, i32x4.splat(0x80)), 24));
}

/** `blocks` numbers of 1 byte at `src` → as many floats at `dst`. */
export function decodeF8_E4M3(src: usize, dst: usize, blocks: usize): void {
  const end = src + blocks;
  const end4 = src + (blocks & ~3);
  while (src < end4) {
    v128.store(dst, e4m3ToF32x4(i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(src)))));
    src += 4;
    dst += 16;
  }
  while (src < end) {
    store<f32>(dst, f32x4.extract_lane(e4m3ToF32x4(i32x4.splat(load<u8>(src))), 0));
    src += 1;
    dst += 4;
  }
}

/** `blocks` numbers of 1 byte at `src` → as many floats at `dst`. */
export function decodeF8_E5M2(src: usize, dst: usize, blocks: usize): void {
  const end = src + blocks;
  const end4 = src + (blocks & ~3);
  while (src < end4) {
    const bytes = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(src)));
    v128.store(dst, f16ToF32x4(i32x4.shl(bytes, 8)));
    src += 4;
    dst += 16;
  }
  while (src < end) {
    store<f32>(dst, f16ToF32(<u32>load<u8>(src) << 8));
    src += 1;
    dst += 4;
  }
}
