// Q5_1 → F32 (layout.ts): x = q · d + m.
import { f16ToF32 } from '../half.wasm';
import { fifthBits } from '../q5-0/fifth-bits.wasm';
import { storeAffine } from '../q4-k/decode.wasm';

/** `blocks` blocks of 24 bytes at `src` → 32 floats each at `dst`. */
export function decodeQ5_1(src: usize, dst: usize, blocks: usize): void {
  const nibble = i8x16.splat(15);
  for (let block: usize = 0; block < blocks; block++) {
    const d = f32x4.splat(f16ToF32(load<u16>(src)));
    const minusM = f32x4.splat(-f16ToF32(load<u16>(src, 2)));
    const high = load<u32>(src, 4);
    const packed = v128.load(src, 8);
    storeAffine(dst, v128.or(v128.and(packed, nibble), fifthBits(high, 0)), d, minusM);
    storeAffine(dst + 64, v128.or(i8x16.shr_u(packed, 4), fifthBits(high, 1)), d, minusM);
    src += 24;
    dst += 128;
  }
}
