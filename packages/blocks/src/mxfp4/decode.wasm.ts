// MXFP4 → F32 (layout.ts): x = 2^(e − 128) · VALUES[q].
import { storeScaled } from '../scaled.wasm';
import { halfScale, VALUES } from './values.wasm';

/** `blocks` blocks of 17 bytes at `src` → 32 floats each at `dst`. */
export function decodeMXFP4(src: usize, dst: usize, blocks: usize): void {
  const nibble = i8x16.splat(15);
  const values = v128.load(VALUES);
  for (let block: usize = 0; block < blocks; block++) {
    const scale = f32x4.splat(halfScale(load<u8>(src)));
    const packed = v128.load(src, 1);
    storeScaled(dst, i8x16.swizzle(values, v128.and(packed, nibble)), scale);
    storeScaled(dst + 64, i8x16.swizzle(values, i8x16.shr_u(packed, 4)), scale);
    src += 17;
    dst += 128;
  }
}
