// IQ2_S → F32 (layout.ts): x = ±d · (sc + ½)/4 · m.
import { eightCodes, pointAt, storeScaled8 } from '../grids/codes.wasm';
import { iq2Magnitudes } from '../grids/magnitudes.wasm';
import { IQ2_S_POINTS } from '../grids/points.wasm';
import { applySigns } from '../grids/signs.wasm';
import { f16ToF32 } from '../half.wasm';

/** `blocks` blocks of 82 bytes at `src` → 256 floats each at `dst`. */
export function decodeIQ2_S(src: usize, dst: usize, blocks: usize): void {
  for (let block: usize = 0; block < blocks; block++) {
    const d = f16ToF32(load<u16>(src));
    for (let l: usize = 0; l < 32; l++) {
      const high = (<u32>load<u8>(src + (l >> 2), 66) >> (2 * (<u32>l & 3))) & 3;
      const sc = (<u32>load<u8>(src + (l >> 2), 74) >> (2 * (<u32>l & 2))) & 15;
      const scale = f32x4.splat(d * (<f32>0.5 + <f32>sc) * <f32>0.25);
      const values = iq2Magnitudes(eightCodes(pointAt(IQ2_S_POINTS, <u32>load<u8>(src + l, 2) | (high << 8))));
      storeScaled8(dst, applySigns(values, load<u8>(src + l, 34)), scale);
      dst += 32;
    }
    src += 82;
  }
}
