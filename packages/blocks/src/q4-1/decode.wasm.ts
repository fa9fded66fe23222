// Q4_1 → F32 (layout.ts): x = q · d + m.
import { f16ToF32 } from '../half.wasm';
import { storeAffine } from '../q4-k/decode.wasm';

/** `blocks` blocks of 20 bytes at `src` → 32 floats each at `dst`. */
export function decodeQ4_1(src: usize, dst: usize, blocks: usize): void {
  const nibble = i8x16.splat(15);
  for (let block: usize = 0; block < blocks; block++) {
    const d = f32x4.splat(f16ToF32(load<u16>(src)));
    const minusM = f32x4.splat(-f16ToF32(load<u16>(src, 2)));
    const packed = v128.load(src, 4);
    storeAffine(dst, v128.and(packed, nibble), d, minusM);
    storeAffine(dst + 64, i8x16.shr_u(packed, 4), d, minusM);
    src += 20;
    dst += 128;
  }
}
