// F32 → Q5_1 (layout.ts), the arithmetic of reference.ts on four weights at a time.
import { f32ToF16 } from '../half.wasm';
import { largest, smallest } from '../q4-1/extremes.wasm';
import { storeFiveBits } from '../q5-0/fifth-bits.wasm';
import { codesOf, fitEightAffine, storeScaleMin } from '../search/eight-affine.wasm';
import { LARGEST_OF_5_BITS, truncatedCodes } from '../truncated-codes.wasm';

const MAX_CODE = memory.data<i32>([31, 31, 31, 31], 16);

/** 32 floats each at `src` → `blocks` blocks of 24 bytes at `dst`. */
export function encodeQ5_1(src: usize, dst: usize, blocks: usize): void {
  const none = i64x2.splat(0);
  const middle = f32x4.splat(0.5);
  const limit = v128.load(LARGEST_OF_5_BITS);
  for (let block: usize = 0; block < blocks; block++) {
    const minimum = smallest(src);
    const d: f32 = (largest(src) - minimum) / <f32>31;
    const inverse: f32 = d != 0 ? <f32>1 / d : 0;
    store<u16>(dst, f32ToF16(d));
    store<u16>(dst, f32ToF16(minimum), 2);
    if (inverse == Infinity) {
      storeFiveBits(dst + 4, dst + 8, none, none); // C's cast of the infinite (x − min) / d to uint8_t gives 0
    } else {
      const shift = f32x4.splat(minimum);
      const scale = f32x4.splat(inverse);
      const low = truncatedCodes(src, shift, scale, middle, limit);
      storeFiveBits(dst + 4, dst + 8, low, truncatedCodes(src + 64, shift, scale, middle, limit));
    }
    src += 128;
    dst += 24;
  }
}

/** The same under the importance of the columns, 32 floats per block, in a row of which Σ x² / cols is `meanSquare`. */
export function encodeQ5_1Weighted(src: usize, dst: usize, blocks: usize, importance: usize, meanSquare: f32): void {
  const maxCode = v128.load(MAX_CODE);
  for (let block: usize = 0; block < blocks; block++) {
    const j = block % 8;
    if (j == 0) fitEightAffine(src, importance + 128 * block, min<usize>(8, blocks - block), meanSquare, 31);
    storeScaleMin(dst, j);
    storeFiveBits(dst + 4, dst + 8, codesOf(src, j, maxCode), codesOf(src + 64, j, maxCode));
    src += 128;
    dst += 24;
  }
}
