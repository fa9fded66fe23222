// IQ2_XXS → F32 (layout.ts): x = ±d · (sc + ½)/4 · m.
import { eightCodes, pointAt, storeScaled8 } from '../grids/codes.wasm';
import { iq2Magnitudes } from '../grids/magnitudes.wasm';
import { IQ2_XXS_POINTS } from '../grids/points.wasm';
import { applySigns, evenSigns } from '../grids/signs.wasm';
import { f16ToF32 } from '../half.wasm';

/** `blocks` blocks of 66 bytes at `src` → 256 floats each at `dst`. */
export function decodeIQ2_XXS(src: usize, dst: usize, blocks: usize): void {
  for (let block: usize = 0; block < blocks; block++) {
    const d = f16ToF32(load<u16>(src));
    for (let sub = src + 2; sub < src + 66; sub += 8) {
      const word = load<u32>(sub, 4);
      const scale = f32x4.splat(d * (<f32>0.5 + <f32>(word >> 28)) * <f32>0.25);
      for (let l: usize = 0; l < 4; l++) {
        const values = iq2Magnitudes(eightCodes(pointAt(IQ2_XXS_POINTS, load<u8>(sub + l))));
        storeScaled8(dst, applySigns(values, evenSigns((word >> (7 * <u32>l)) & 127)), scale);
        dst += 32;
      }
    }
    src += 66;
  }
}
