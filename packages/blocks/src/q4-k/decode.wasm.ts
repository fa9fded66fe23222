// Q4_K → F32 (layout.ts): x = (d · sc) · q − (dmin · m).
import { f16ToF32 } from '../half.wasm';
import { minOf, scaleOf } from './layout.wasm';

/** `blocks` blocks of 144 bytes at `src` → 256 floats each at `dst`. */
export function decodeQ4_K(src: usize, dst: usize, blocks: usize): void {
  const nibble = i8x16.splat(15);
  for (let block: usize = 0; block < blocks; block++) {
    const d = f16ToF32(load<u16>(src));
    const dmin = f16ToF32(load<u16>(src, 2));
    for (let pair: usize = 0; pair < 4; pair++) {
      const scales = src + 4;
      const lowScale = f32x4.splat(d * <f32>scaleOf(scales, 2 * pair));
      const lowMin = f32x4.splat(dmin * <f32>minOf(scales, 2 * pair));
      const highScale = f32x4.splat(d * <f32>scaleOf(scales, 2 * pair + 1));
      const highMin = f32x4.splat(dmin * <f32>minOf(scales, 2 * pair + 1));
      for (let half: usize = 0; half < 2; half++) {
        const packed = v128.load(src + 32 * pair + 16 * half, 16);
        const out = dst + 256 * pair + 64 * half;
        storeAffine(out, v128.and(packed, nibble), lowScale, lowMin);
        storeAffine(out + 128, i8x16.shr_u(packed, 4), highScale, highMin);
      }
    }
    src += 144;
    dst += 1024;
  }
}

/** Sixteen unsigned bytes q → 16 floats scale · q − min. */
@inline
export function storeAffine(dst: usize, codes: v128, scale: v128, min: v128): void {
  const low = i16x8.extend_low_i8x16_u(codes);
  const high = i16x8.extend_high_i8x16_u(codes);
  v128.store(dst, affine(i32x4.extend_low_i16x8_u(low), scale, min));
  v128.store(dst, affine(i32x4.extend_high_i16x8_u(low), scale, min), 16);
  v128.store(dst, affine(i32x4.extend_low_i16x8_u(high), scale, min), 32);
  v128.store(dst, affine(i32x4.extend_high_i16x8_u(high), scale, min), 48);
}

@inline
function affine(codes: v128, scale: v128, min: v128): v128 {
  return f32x4.sub(f32x4.mul(f32x4.convert_i32x4_s(codes), scale), min);
}
