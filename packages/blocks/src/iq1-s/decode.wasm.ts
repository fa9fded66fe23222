// IQ1_S → F32 (layout.ts): x = d · (2 sc + 1) · (q − 1 ± ⅛).
import { storeTernary } from '../grids/ternary.wasm';
import { f16ToF32 } from '../half.wasm';

/** `blocks` blocks of 50 bytes at `src` → 256 floats each at `dst`. */
export function decodeIQ1_S(src: usize, dst: usize, blocks: usize): void {
  for (let block: usize = 0; block < blocks; block++) {
    const d = f16ToF32(load<u16>(src));
    for (let j: usize = 0; j < 8; j++) {
      const high = <u32>load<u16>(src + 2 * j, 34);
      const scale = f32x4.splat(d * <f32>(((high >> 12) & 7) * 2 + 1));
      const shift = f32x4.splat(high & 0x8000 ? -0.125 : 0.125);
      for (let l: usize = 0; l < 4; l++) {
        storeTernary(dst, <u32>load<u8>(src + 4 * j + l, 2) | (((high >> (3 * <u32>l)) & 7) << 8), shift, scale);
        dst += 32;
      }
    }
    src += 50;
  }
}
