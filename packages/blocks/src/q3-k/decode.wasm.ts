// Q3_K → F32 (layout.ts): x = (d · (sc − 32)) · (q − 4).
import { f16ToF32 } from '../half.wasm';
import { storeScaled } from '../scaled.wasm';
import { scaleOf } from './layout.wasm';

/** `blocks` blocks of 110 bytes at `src` → 256 floats each at `dst`. */
export function decodeQ3_K(src: usize, dst: usize, blocks: usize): void {
  const two = i8x16.splat(3);
  const upper = i8x16.splat(4);
  for (let block: usize = 0; block < blocks; block++) {
    const d = f16ToF32(load<u16>(src, 108));
    for (let j: usize = 0; j < 16; j++) {
      // Sub-block j: quarter (j / 2) mod 4 of half j / 8, its even or odd 16 weights.
      const packed = v128.load(src + 32 * (j >> 3) + 16 * (j & 1), 32);
      const low = v128.and(i8x16.shr_u(packed, <i32>(j & 6)), two);
      const bits = i8x16.shr_u(v128.load(src + 16 * (j & 1)), <i32>(j >> 1));
      const codes = v128.or(low, v128.and(i8x16.shl(bits, 2), upper));
      const scale: f32 = d * <f32>(<i32>scaleOf(src + 96, j) - 32);
      storeScaled(dst + 64 * j, i8x16.sub(codes, upper), f32x4.splat(scale));
    }
    src += 110;
    dst += 1024;
  }
}
