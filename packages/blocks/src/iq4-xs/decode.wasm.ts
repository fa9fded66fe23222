// IQ4_XS → F32 (layout.ts): x = d · (sc − 32) · VALUES[q].
import { f16ToF32 } from '../half.wasm';
import { VALUES } from '../iq4-nl/values.wasm';
import { storeScaled } from '../scaled.wasm';

/** `blocks` blocks of 136 bytes at `src` → 256 floats each at `dst`. */
export function decodeIQ4_XS(src: usize, dst: usize, blocks: usize): void {
  const nibble = i8x16.splat(15);
  const values = v128.load(VALUES);
  for (let block: usize = 0; block < blocks; block++) {
    const d = f16ToF32(load<u16>(src));
    const low = load<u32>(src, 4);
    const high = <u32>load<u16>(src, 2);
    for (let j: u32 = 0; j < 8; j++) {
      const sc = ((low >> (4 * j)) & 15) | (((high >> (2 * j)) & 3) << 4);
      const scale = f32x4.splat(d * <f32>(<i32>sc - 32));
      const packed = v128.load(src + 16 * j, 8);
      storeScaled(dst, i8x16.swizzle(values, v128.and(packed, nibble)), scale);
      storeScaled(dst + 64, i8x16.swizzle(values, i8x16.shr_u(packed, 4)), scale);
      dst += 128;
    }
    src += 136;
  }
}
