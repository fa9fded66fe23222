// NVFP4 → F32 (layout.ts): x = sc/2 · VALUES[q].
import { VALUES } from '../mxfp4/values.wasm';
import { storeScaled } from '../scaled.wasm';
import { halfScale } from './scale.wasm';

/** `blocks` blocks of 36 bytes at `src` → 64 floats each at `dst`. */
export function decodeNVFP4(src: usize, dst: usize, blocks: usize): void {
  const nibble = i8x16.splat(15);
  const values = v128.load(VALUES);
  for (let block: usize = 0; block < blocks; block++) {
    for (let j: usize = 0; j < 4; j++) {
      const packed = v128.load64_zero(src + 8 * j, 4);
      const codes = v128.shuffle<u64>(v128.and(packed, nibble), i8x16.shr_u(packed, 4), 0, 2);
      storeScaled(dst, i8x16.swizzle(values, codes), f32x4.splat(halfScale(load<u8>(src + j))));
      dst += 64;
    }
    src += 36;
  }
}
