// F32 → TQ2_0 (layout.ts), the arithmetic of reference.ts on four weights at a time.
import { f32ToF16 } from '../half.wasm';
import { ternaryCodes, ternaryInverse, ternaryScale } from './ternary.wasm';

/** 256 floats each at `src` → `blocks` blocks of 66 bytes at `dst`. */
export function encodeTQ2_0(src: usize, dst: usize, blocks: usize): void {
  for (let block: usize = 0; block < blocks; block++) {
    const scale = ternaryScale(src);
    const inverse = ternaryInverse(scale);
    for (let part: usize = 0; part < 4; part++) {
      const x = src + 512 * (part >> 1) + 64 * (part & 1);
      // Codes have two bits, so shifting pairs of bytes moves nothing from one into the other.
      const first = v128.or(ternaryCodes(x, inverse), i16x8.shl(ternaryCodes(x + 128, inverse), 2));
      const last = v128.or(i16x8.shl(ternaryCodes(x + 256, inverse), 4), i16x8.shl(ternaryCodes(x + 384, inverse), 6));
      v128.store(dst + 16 * part, v128.or(first, last));
    }
    store<u16>(dst, f32ToF16(scale), 64);
    src += 1024;
    dst += 66;
  }
}
