// IQ1_M → F32 (layout.ts): x = d · (2 sc + 1) · (q − 1 ± ⅛).
import { storeTernary } from '../grids/ternary.wasm';
import { f16ToF32 } from '../half.wasm';

/** `blocks` blocks of 56 bytes at `src` → 256 floats each at `dst`. */
export function decodeIQ1_M(src: usize, dst: usize, blocks: usize): void {
  for (let block: usize = 0; block < blocks; block++) {
    const scales = load<u64>(src, 48);
    const bits = ((scales >> 12) & 0xf) | ((scales >> 24) & 0xf0) | ((scales >> 36) & 0xf00) | ((scales >> 48) & 0xf000);
    const d = f16ToF32(<u32>bits);
    for (let j: usize = 0; j < 16; j++) {
      const sc = <u32>(scales >> (16 * (<u64>j >> 2) + 3 * (<u64>j & 3))) & 7;
      const scale = f32x4.splat(d * <f32>(sc * 2 + 1));
      const high = <u32>load<u8>(src + j, 32);
      const first = f32x4.splat(high & 0x08 ? -0.125 : 0.125);
      const second = f32x4.splat(high & 0x80 ? -0.125 : 0.125);
      storeTernary(dst, <u32>load<u8>(src + 2 * j) | ((high & 0x07) << 8), first, scale);
      storeTernary(dst + 32, <u32>load<u8>(src + 2 * j, 1) | ((high & 0x70) << 4), second, scale);
      dst += 64;
    }
    src += 56;
  }
}
