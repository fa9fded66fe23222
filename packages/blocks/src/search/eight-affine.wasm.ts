// Q4_1 and Q5_1 under importance: eight blocks of 32 weights fitted side by side.
import { f32ToF16 } from '../half.wasm';
import {
  AFFINE_CODE_INVERSE,
  AFFINE_CODE_MIN,
  AFFINE_MIN,
  AFFINE_SCALE,
  AFFINE_WEIGHTS,
  AFFINE_X,
  fitAffine8x32,
} from './affine.wasm';
import { searchCodes } from './affine-codes.wasm';
import { loadEightBlocks } from './error-weights.wasm';

/** Fits `count` ≤ 8 blocks at `src`; then `storeScaleMin` and `codesOf` tell what was found. */
@inline
export function fitEightAffine(src: usize, importance: usize, count: usize, meanSquare: f32, maxCode: f32): void {
  loadEightBlocks(src, importance, count, meanSquare, AFFINE_X, AFFINE_WEIGHTS);
  fitAffine8x32(-0.9, 0.05, 36, maxCode);
}

/** d and m of block `j` as two F16. */
@inline
export function storeScaleMin(dst: usize, j: usize): void {
  store<u16>(dst, f32ToF16(load<f32>(AFFINE_SCALE + 4 * j)));
  store<u16>(dst, f32ToF16(-load<f32>(AFFINE_MIN + 4 * j)), 2);
}

/** Codes of sixteen weights of block `j` at `src`, a byte each. */
@inline
export function codesOf(src: usize, j: usize, maxCode: v128): v128 {
  const inverse = v128.load32_splat(AFFINE_CODE_INVERSE + 4 * j);
  return searchCodes(src, inverse, v128.load32_splat(AFFINE_CODE_MIN + 4 * j), maxCode);
}
