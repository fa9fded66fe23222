// TQ2_0 → F32 (layout.ts): x = d · (q − 1).
import { f16ToF32 } from '../half.wasm';
import { storeScaled } from '../scaled.wasm';

/** `blocks` blocks of 66 bytes at `src` → 256 floats each at `dst`. */
export function decodeTQ2_0(src: usize, dst: usize, blocks: usize): void {
  const pair = i8x16.splat(3);
  const one = i8x16.splat(1);
  for (let block: usize = 0; block < blocks; block++) {
    const d = f32x4.splat(f16ToF32(load<u16>(src, 64)));
    for (let part: usize = 0; part < 4; part++) {
      const packed = v128.load(src + 16 * part);
      const out = dst + 512 * (part >> 1) + 64 * (part & 1);
      storeScaled(out, i8x16.sub(v128.and(packed, pair), one), d);
      storeScaled(out + 128, i8x16.sub(v128.and(i8x16.shr_u(packed, 2), pair), one), d);
      storeScaled(out + 256, i8x16.sub(v128.and(i8x16.shr_u(packed, 4), pair), one), d);
      storeScaled(out + 384, i8x16.sub(i8x16.shr_u(packed, 6), one), d);
    }
    src += 66;
    dst += 1024;
  }
}
