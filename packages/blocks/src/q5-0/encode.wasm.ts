// F32 → Q5_0 (layout.ts), the arithmetic of reference.ts on four weights at a time.
import { f32ToF16 } from '../half.wasm';
import { largestLane } from '../horizontal.wasm';
import { codesOf, fitEightSymmetric, storeScale } from '../search/eight-symmetric.wasm';
import { LARGEST_OF_5_BITS, truncatedCodes } from '../truncated-codes.wasm';
import { storeFiveBits } from './fifth-bits.wasm';

const HALF = memory.data<i32>([16, 16, 16, 16], 16);

/** 32 floats each at `src` → `blocks` blocks of 22 bytes at `dst`. */
export function encodeQ5_0(src: usize, dst: usize, blocks: usize): void {
  const none = i64x2.splat(0);
  const middle = f32x4.splat(16.5);
  const limit = v128.load(LARGEST_OF_5_BITS);
  for (let block: usize = 0; block < blocks; block++) {
    const d: f32 = signedExtreme(src) / <f32>-16;
    const inverse: f32 = d != 0 ? <f32>1 / d : 0;
    store<u16>(dst, f32ToF16(d));
    if (abs(inverse) == Infinity) {
      storeFiveBits(dst + 2, dst + 6, none, none); // C's cast of the infinite x / d to int8_t gives 0
    } else {
      const scale = f32x4.splat(inverse);
      const low = truncatedCodes(src, none, scale, middle, limit);
      storeFiveBits(dst + 2, dst + 6, low, truncatedCodes(src + 64, none, scale, middle, limit));
    }
    src += 128;
    dst += 22;
  }
}

/** The same under the importance of the columns, 32 floats per block, in a row of which Σ x² / cols is `meanSquare`. */
export function encodeQ5_0Weighted(src: usize, dst: usize, blocks: usize, importance: usize, meanSquare: f32): void {
  const half = v128.load(HALF);
  for (let block: usize = 0; block < blocks; block++) {
    const j = block % 8;
    if (j == 0) fitEightSymmetric(src, importance + 128 * block, min<usize>(8, blocks - block), meanSquare, 16);
    storeScale(dst, j);
    storeFiveBits(dst + 2, dst + 6, codesOf(src, j, half), codesOf(src + 64, j, half));
    src += 128;
    dst += 22;
  }
}

/** Of 32 weights the one of largest magnitude with its sign; the first one where several tie. */
@inline
function signedExtreme(src: usize): f32 {
  let magnitudes = f32x4.abs(v128.load(src));
  for (let i: usize = 16; i < 128; i += 16) magnitudes = f32x4.pmax(magnitudes, f32x4.abs(v128.load(src + i)));
  const magnitude = largestLane(magnitudes);
  if (magnitude == 0) return 0;
  for (let i: usize = 0; i < 128; i += 4) {
    const x = load<f32>(src + i);
    if (abs(x) == magnitude) return x;
  }
  return 0; // only NaN is left
}
