// Q8_0 → F32 (layout.ts): x = q · d.
import { f16ToF32 } from '../half.wasm';
import { storeScaled } from '../scaled.wasm';

/** `blocks` blocks of 34 bytes at `src` → 32 floats each at `dst`. */
export function decodeQ8_0(src: usize, dst: usize, blocks: usize): void {
  for (let block: usize = 0; block < blocks; block++) {
    const d = f32x4.splat(f16ToF32(load<u16>(src)));
    storeScaled(dst, v128.load(src, 2), d);
    storeScaled(dst + 64, v128.load(src, 18), d);
    src += 34;
    dst += 128;
  }
}
