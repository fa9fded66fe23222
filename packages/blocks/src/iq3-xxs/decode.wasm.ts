// IQ3_XXS → F32 (layout.ts): x = ±d · (sc + ½)/2 · m.
import { fourAndFourCodes, pointAt, storeScaled8 } from '../grids/codes.wasm';
import { iq3xxsMagnitudes } from '../grids/magnitudes.wasm';
import { IQ3_XXS_POINTS } from '../grids/points.wasm';
import { applySigns, evenSigns } from '../grids/signs.wasm';
import { f16ToF32 } from '../half.wasm';

/** `blocks` blocks of 98 bytes at `src` → 256 floats each at `dst`. */
export function decodeIQ3_XXS(src: usize, dst: usize, blocks: usize): void {
  for (let block: usize = 0; block < blocks; block++) {
    const d = f16ToF32(load<u16>(src));
    for (let j: usize = 0; j < 8; j++) {
      const word = load<u32>(src + 4 * j, 66);
      const scale = f32x4.splat(d * (<f32>0.5 + <f32>(word >> 28)) * <f32>0.5);
      for (let l: usize = 0; l < 4; l++) {
        const qs = src + 8 * j + 2 * l;
        const codes = fourAndFourCodes(
          pointAt(IQ3_XXS_POINTS, load<u8>(qs, 2)),
          pointAt(IQ3_XXS_POINTS, load<u8>(qs, 3)),
        );
        storeScaled8(dst, applySigns(iq3xxsMagnitudes(codes), evenSigns((word >> (7 * <u32>l)) & 127)), scale);
        dst += 32;
      }
    }
    src += 98;
  }
}
