// F32 → Q2_0 (layout.ts), the arithmetic of reference.ts on four weights at a time.
import { f32ToF16 } from '../half.wasm';
import { largestLane } from '../horizontal.wasm';
import { ternaryCodes } from '../tq2-0/ternary.wasm';

/** 64 floats each at `src` → `blocks` blocks of 18 bytes at `dst`. */
export function encodeQ2_0(src: usize, dst: usize, blocks: usize): void {
  for (let block: usize = 0; block < blocks; block++) {
    let magnitudes = f32x4.abs(v128.load(src));
    for (let i: usize = 16; i < 256; i += 16) magnitudes = f32x4.pmax(magnitudes, f32x4.abs(v128.load(src + i)));
    const scale = largestLane(magnitudes);
    store<u16>(dst, f32ToF16(scale));
    const inverse: f32 = scale != 0 ? <f32>1 / scale : 0;
    if (inverse == Infinity) {
      v128.store(dst, i64x2.splat(0), 2); // C's conversion of the infinite x / d to int, limited to 0 … 3
    } else {
      const factor = f32x4.splat(inverse);
      const low = i16x8.narrow_i32x4_u(fourBytes(src, factor), fourBytes(src + 64, factor));
      const high = i16x8.narrow_i32x4_u(fourBytes(src + 128, factor), fourBytes(src + 192, factor));
      v128.store(dst, i8x16.narrow_i16x8_u(low, high), 2);
    }
    src += 256;
    dst += 18;
  }
}

/** Sixteen weights → the four bytes of their codes, one in each lane. */
@inline
function fourBytes(x: usize, inverse: v128): v128 {
  const codes = ternaryCodes(x, inverse);
  const pairs = v128.or(codes, i32x4.shr_u(codes, 6)); // bytes 0 and 2 now hold two codes each
  return v128.and(v128.or(pairs, i32x4.shr_u(pairs, 12)), i32x4.splat(0xff));
}
