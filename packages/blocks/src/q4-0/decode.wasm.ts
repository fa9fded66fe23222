// Q4_0 → F32 (layout.ts): x = (q − 8) · d.
import { f16ToF32 } from '../half.wasm';
import { storeScaled } from '../scaled.wasm';

/** `blocks` blocks of 18 bytes at `src` → 32 floats each at `dst`. */
export function decodeQ4_0(src: usize, dst: usize, blocks: usize): void {
  const nibble = i8x16.splat(15);
  const eight = i8x16.splat(8);
  for (let block: usize = 0; block < blocks; block++) {
    const d = f32x4.splat(f16ToF32(load<u16>(src)));
    const packed = v128.load(src, 2);
    storeScaled(dst, i8x16.sub(v128.and(packed, nibble), eight), d);
    storeScaled(dst + 64, i8x16.sub(i8x16.shr_u(packed, 4), eight), d);
    src += 18;
    dst += 128;
  }
}
