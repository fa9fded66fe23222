// Q5_0 → F32 (layout.ts): x = (q − 16) · d.
import { f16ToF32 } from '../half.wasm';
import { storeScaled } from '../scaled.wasm';
import { fifthBits } from './fifth-bits.wasm';

/** `blocks` blocks of 22 bytes at `src` → 32 floats each at `dst`. */
export function decodeQ5_0(src: usize, dst: usize, blocks: usize): void {
  const nibble = i8x16.splat(15);
  const sixteen = i8x16.splat(16);
  for (let block: usize = 0; block < blocks; block++) {
    const d = f32x4.splat(f16ToF32(load<u16>(src)));
    const high = load<u32>(src, 2);
    const packed = v128.load(src, 6);
    storeScaled(dst, i8x16.sub(v128.or(v128.and(packed, nibble), fifthBits(high, 0)), sixteen), d);
    storeScaled(dst + 64, i8x16.sub(v128.or(i8x16.shr_u(packed, 4), fifthBits(high, 1)), sixteen), d);
    src += 22;
    dst += 128;
  }
}
