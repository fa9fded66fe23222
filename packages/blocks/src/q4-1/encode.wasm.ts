// F32 → Q4_1 (layout.ts), the arithmetic of reference.ts on four weights at a time.
import { f32ToF16 } from '../half.wasm';
import { codesOf, fitEightAffine, storeScaleMin } from '../search/eight-affine.wasm';
import { LARGEST_OF_4_BITS, truncatedCodes } from '../truncated-codes.wasm';
import { largest, smallest } from './extremes.wasm';

const MAX_CODE = memory.data<i32>([15, 15, 15, 15], 16);

/** 32 floats each at `src` → `blocks` blocks of 20 bytes at `dst`. */
export function encodeQ4_1(src: usize, dst: usize, blocks: usize): void {
  const middle = f32x4.splat(0.5);
  const limit = v128.load(LARGEST_OF_4_BITS);
  for (let block: usize = 0; block < blocks; block++) {
    const minimum = smallest(src);
    const d: f32 = (largest(src) - minimum) / <f32>15;
    const inverse: f32 = d != 0 ? <f32>1 / d : 0;
    store<u16>(dst, f32ToF16(d));
    store<u16>(dst, f32ToF16(minimum), 2);
    if (inverse == Infinity) {
      v128.store(dst, i64x2.splat(0), 4); // C's cast of the infinite (x − min) / d to int8_t gives 0
    } else {
      const shift = f32x4.splat(minimum);
      const scale = f32x4.splat(inverse);
      const low = truncatedCodes(src, shift, scale, middle, limit);
      v128.store(dst, v128.or(low, i16x8.shl(truncatedCodes(src + 64, shift, scale, middle, limit), 4)), 4);
    }
    src += 128;
    dst += 20;
  }
}

/** The same under the importance of the columns, 32 floats per block, in a row of which Σ x² / cols is `meanSquare`. */
export function encodeQ4_1Weighted(src: usize, dst: usize, blocks: usize, importance: usize, meanSquare: f32): void {
  const maxCode = v128.load(MAX_CODE);
  for (let block: usize = 0; block < blocks; block++) {
    const j = block % 8;
    if (j == 0) fitEightAffine(src, importance + 128 * block, min<usize>(8, blocks - block), meanSquare, 15);
    storeScaleMin(dst, j);
    v128.store(dst, v128.or(codesOf(src, j, maxCode), i16x8.shl(codesOf(src + 64, j, maxCode), 4)), 4);
    src += 128;
    dst += 20;
  }
}
