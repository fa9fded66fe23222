// Q5_K → F32 (layout.ts): x = (d · sc) · q − (dmin · m).
import { f16ToF32 } from '../half.wasm';
import { storeAffine } from '../q4-k/decode.wasm';
import { minOf, scaleOf } from '../q4-k/layout.wasm';

/** `blocks` blocks of 176 bytes at `src` → 256 floats each at `dst`. */
export function decodeQ5_K(src: usize, dst: usize, blocks: usize): void {
  const nibble = i8x16.splat(15);
  const fifth = i8x16.splat(16);
  for (let block: usize = 0; block < blocks; block++) {
    const d = f16ToF32(load<u16>(src));
    const dmin = f16ToF32(load<u16>(src, 2));
    const scales = src + 4;
    for (let shift = 0; shift < 8; shift += 2) {
      const pair = <usize>(shift >> 1);
      const lowScale = f32x4.splat(d * <f32>scaleOf(scales, 2 * pair));
      const lowMin = f32x4.splat(dmin * <f32>minOf(scales, 2 * pair));
      const highScale = f32x4.splat(d * <f32>scaleOf(scales, 2 * pair + 1));
      const highMin = f32x4.splat(dmin * <f32>minOf(scales, 2 * pair + 1));
      for (let half: usize = 0; half < 2; half++) {
        const packed = v128.load(src + 32 * pair + 16 * half, 48);
        // The pair's two bits become the lowest of their byte.
        const bits = i8x16.shr_u(v128.load(src + 16 * half, 16), shift);
        const low = v128.or(v128.and(packed, nibble), v128.and(i8x16.shl(bits, 4), fifth));
        const high = v128.or(i8x16.shr_u(packed, 4), v128.and(i8x16.shl(bits, 3), fifth));
        const out = dst + 256 * pair + 64 * half;
        storeAffine(out, low, lowScale, lowMin);
        storeAffine(out + 128, high, highScale, highMin);
      }
    }
    src += 176;
    dst += 1024;
  }
}
