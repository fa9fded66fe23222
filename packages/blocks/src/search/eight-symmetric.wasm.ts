// Q4_0 and Q5_0 under importance: eight blocks of 32 weights fitted side by side.
import { resultToF16 } from '../half.wasm';
import { loadEightBlocks } from './error-weights.wasm';
import {
  fitSymmetric8x32,
  SYMMETRIC_CODE_INVERSE,
  SYMMETRIC_SCALE,
  SYMMETRIC_WEIGHTS,
  SYMMETRIC_X,
} from './symmetric.wasm';
import { searchCodes } from './symmetric-codes.wasm';

/** Fits `count` ≤ 8 blocks at `src`; then `storeScale` and `codesOf` tell what was found. */
@inline
export function fitEightSymmetric(src: usize, importance: usize, count: usize, meanSquare: f32, half: f32): void {
  loadEightBlocks(src, importance, count, meanSquare, SYMMETRIC_X, SYMMETRIC_WEIGHTS);
  fitSymmetric8x32(half);
}

/** d of block `j` as F16. */
@inline
export function storeScale(dst: usize, j: usize): void {
  store<u16>(dst, resultToF16(load<f32>(SYMMETRIC_SCALE + 4 * j)));
}

/** Codes of sixteen weights of block `j` at `src`, a byte each; `half` as integers. */
@inline
export function codesOf(src: usize, j: usize, half: v128): v128 {
  return searchCodes(src, load<f32>(SYMMETRIC_CODE_INVERSE + 4 * j), half);
}
