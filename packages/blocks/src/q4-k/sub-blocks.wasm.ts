// What Q4_K and Q5_K share when encoding (sub-blocks.ts): weights of the search, the 6-bit scales and minima, and codes
// rounded with what was stored.
import { f16ToF32, f32ToF16, resultToF16 } from '../half.wasm';
import { nearestInt } from '../rounding.wasm';
import {
  AFFINE_CODE_INVERSE,
  AFFINE_CODE_MIN,
  AFFINE_MIN,
  AFFINE_SCALE,
  AFFINE_WEIGHTS,
  AFFINE_X,
} from '../search/affine.wasm';
import { searchCodes, storedCodes } from '../search/affine-codes.wasm';
import { transpose8x32, weighErrors } from '../search/error-weights.wasm';
import { fitPositive, POSITIVE_CODES, POSITIVE_UNITS } from '../search/positive.wasm';
import { minOf, putScaleMin, scaleOf } from './layout.wasm';

/** The codes of one block, a byte each, in order. */
export const CODES = memory.data(256, 16);

/** Fills the search's input for the 256 weights at `src`. */
@inline
export function loadForSearch(src: usize): void {
  transpose8x32(src, AFFINE_X);
  weigh();
}

/** The same under importance; `squares` is the sum of the squares of the block. */
@inline
export function loadWeighted(src: usize, importance: usize, squares: f32): void {
  transpose8x32(src, AFFINE_X);
  transpose8x32(importance, AFFINE_WEIGHTS);
  weighErrors(AFFINE_X, AFFINE_WEIGHTS, 1024, f32x4.splat((<f32>2 * squares) / <f32>256));
}

/** w = root mean square of the sub-block + |x|. */
@inline
function weigh(): void {
  let sumA = i64x2.splat(0);
  let sumB = i64x2.splat(0);
  for (let i: usize = 0; i < 512; i += 16) {
    const xA = v128.load(AFFINE_X + i);
    const xB = v128.load(AFFINE_X + 512 + i);
    sumA = f32x4.add(sumA, f32x4.mul(xA, xA));
    sumB = f32x4.add(sumB, f32x4.mul(xB, xB));
  }
  const rmsA = f32x4.sqrt(f32x4.div(sumA, f32x4.splat(32)));
  const rmsB = f32x4.sqrt(f32x4.div(sumB, f32x4.splat(32)));
  for (let i: usize = 0; i < 512; i += 16) {
    v128.store(AFFINE_WEIGHTS + i, f32x4.add(rmsA, f32x4.abs(v128.load(AFFINE_X + i))));
    v128.store(AFFINE_WEIGHTS + 512 + i, f32x4.add(rmsB, f32x4.abs(v128.load(AFFINE_X + 512 + i))));
  }
}

/** d, dmin and the eight 6-bit scales and minima. */
@inline
export function storeFits(dst: usize): void {
  let maxScale: f32 = 0;
  let maxMin: f32 = 0;
  for (let j: usize = 0; j < 32; j += 4) {
    const scale = load<f32>(AFFINE_SCALE + j);
    const minimum = load<f32>(AFFINE_MIN + j);
    if (scale > maxScale) maxScale = scale;
    if (minimum > maxMin) maxMin = minimum;
  }
  const inverseScale: f32 = maxScale > 0 ? <f32>63 / maxScale : 0;
  const inverseMin: f32 = maxMin > 0 ? <f32>63 / maxMin : 0;
  store<u16>(dst, f32ToF16(maxScale / <f32>63));
  store<u16>(dst, f32ToF16(maxMin / <f32>63), 2);
  for (let j: usize = 0; j < 8; j++) {
    const scale = nearestInt(inverseScale * load<f32>(AFFINE_SCALE + 4 * j)) & 255;
    const minimum = nearestInt(inverseMin * load<f32>(AFFINE_MIN + 4 * j)) & 255;
    putScaleMin(dst + 4, j, min<u32>(63, scale), min<u32>(63, minimum));
  }
}

/** The same under importance, scales and minima fitted among themselves; their bytes are limited to `largest`. */
@inline
export function storeWeightedFits(dst: usize, largest: u32): void {
  fitPositive(8, 63);
  store<u16>(dst, resultToF16(load<f32>(POSITIVE_UNITS)));
  store<u16>(dst, resultToF16(load<f32>(POSITIVE_UNITS, 4)), 2);
  for (let j: usize = 0; j < 8; j++) {
    const scale = load<u32>(POSITIVE_CODES + 16 * j);
    const minimum = load<u32>(POSITIVE_CODES + 16 * j, 4);
    putScaleMin(dst + 4, j, min<u32>(largest, scale), min<u32>(largest, minimum));
  }
}

/** Rounds the codes of sub-block `j` with the scale and minimum stored at `dst`, clamped to 0…`maxCode` (one per lane). */
@inline
export function codeSubBlock(src: usize, dst: usize, j: usize, maxCode: v128): void {
  const scale: f32 = f16ToF32(load<u16>(dst)) * <f32>scaleOf(dst + 4, j);
  const codes = CODES + 32 * j;
  if (scale == 0) {
    // ggml leaves the codes of the search in place; they are made again.
    const inverse = v128.load32_splat(AFFINE_CODE_INVERSE + 4 * j);
    const minimum = v128.load32_splat(AFFINE_CODE_MIN + 4 * j);
    v128.store(codes, searchCodes(src, inverse, minimum, maxCode));
    v128.store(codes, searchCodes(src + 64, inverse, minimum, maxCode), 16);
    return;
  }
  const scales = f32x4.splat(scale);
  const mins = f32x4.splat(f16ToF32(load<u16>(dst, 2)) * <f32>minOf(dst + 4, j));
  v128.store(codes, storedCodes(src, scales, mins, maxCode));
  v128.store(codes, storedCodes(src + 64, scales, mins, maxCode), 16);
}
