// Q2_K → F32 (layout.ts): x = (d · sc) · q − (dmin · m).
import { f16ToF32 } from '../half.wasm';
import { storeAffine } from '../q4-k/decode.wasm';

/** `blocks` blocks of 84 bytes at `src` → 256 floats each at `dst`. */
export function decodeQ2_K(src: usize, dst: usize, blocks: usize): void {
  const two = i8x16.splat(3);
  for (let block: usize = 0; block < blocks; block++) {
    const d = f16ToF32(load<u16>(src, 80));
    const dmin = f16ToF32(load<u16>(src, 82));
    for (let j: usize = 0; j < 16; j++) {
      // Sub-block j: quarter (j / 2) mod 4 of half j / 8, its even or odd 16 weights.
      const packed = v128.load(src + 32 * (j >> 3) + 16 * (j & 1), 16);
      const codes = v128.and(i8x16.shr_u(packed, <i32>(j & 6)), two);
      const stored: u32 = load<u8>(src + j);
      storeAffine(dst + 64 * j, codes, f32x4.splat(d * <f32>(stored & 15)), f32x4.splat(dmin * <f32>(stored >> 4)));
    }
    src += 84;
    dst += 1024;
  }
}
