// IQ4_NL → F32 (layout.ts): x = d · VALUES[q].
import { f16ToF32 } from '../half.wasm';
import { storeScaled } from '../scaled.wasm';
import { VALUES } from './values.wasm';

/** `blocks` blocks of 18 bytes at `src` → 32 floats each at `dst`. */
export function decodeIQ4_NL(src: usize, dst: usize, blocks: usize): void {
  const nibble = i8x16.splat(15);
  const values = v128.load(VALUES);
  for (let block: usize = 0; block < blocks; block++) {
    const d = f32x4.splat(f16ToF32(load<u16>(src)));
    const packed = v128.load(src, 2);
    storeScaled(dst, i8x16.swizzle(values, v128.and(packed, nibble)), d);
    storeScaled(dst + 64, i8x16.swizzle(values, i8x16.shr_u(packed, 4)), d);
    src += 18;
    dst += 128;
  }
}
