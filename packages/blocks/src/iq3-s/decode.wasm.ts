// IQ3_S → F32 (layout.ts): x = ±d · (2 sc + 1) · (2 q + 1).
import { fourAndFourCodes, pointAt, storeScaled8 } from '../grids/codes.wasm';
import { IQ3_S_POINTS } from '../grids/points.wasm';
import { applySigns } from '../grids/signs.wasm';
import { f16ToF32 } from '../half.wasm';

/** `blocks` blocks of 110 bytes at `src` → 256 floats each at `dst`. */
export function decodeIQ3_S(src: usize, dst: usize, blocks: usize): void {
  const one = i16x8.splat(1);
  for (let block: usize = 0; block < blocks; block++) {
    const d = f16ToF32(load<u16>(src));
    for (let j: usize = 0; j < 8; j++) {
      const sc = (<u32>load<u8>(src + (j >> 1), 106) >> (4 * (<u32>j & 1))) & 15;
      const scale = f32x4.splat(d * <f32>(sc * 2 + 1));
      const high = <u32>load<u8>(src + j, 66);
      for (let l: usize = 0; l < 4; l++) {
        const qs = src + 8 * j + 2 * l;
        const codes = fourAndFourCodes(
          pointAt(IQ3_S_POINTS, <u32>load<u8>(qs, 2) | ((high << (8 - 2 * <u32>l)) & 256)),
          pointAt(IQ3_S_POINTS, <u32>load<u8>(qs, 3) | ((high << (7 - 2 * <u32>l)) & 256)),
        );
        storeScaled8(dst, applySigns(v128.or(i16x8.shl(codes, 1), one), load<u8>(src + 4 * j + l, 74)), scale);
        dst += 32;
      }
    }
    src += 110;
  }
}
