// How much errors count (error-weights.ts), for sub-blocks turned into lanes.
import { transpose4 } from '../transpose.wasm';

/** Turns w into w · √(meanSquare + x²), in `bytes` bytes of vectors. */
@inline
export function weighErrors(x: usize, weights: usize, bytes: usize, meanSquare: v128): void {
  for (let i: usize = 0; i < bytes; i += 16) {
    const value = v128.load(x + i);
    const size = f32x4.sqrt(f32x4.add(meanSquare, f32x4.mul(value, value)));
    v128.store(weights + i, f32x4.mul(v128.load(weights + i), size));
  }
}

/** 256 floats at `src` as eight sub-blocks of 32 → two groups of vectors at `dst`. */
@inline
export function transpose8x32(src: usize, dst: usize): void {
  transpose4(src, 128, 32, dst);
  transpose4(src + 512, 128, 32, dst + 512);
}

/** 256 floats at `src` as sixteen sub-blocks of 16 → four groups of vectors at `dst`. */
@inline
export function transpose16x16(src: usize, dst: usize): void {
  for (let group: usize = 0; group < 1024; group += 256) transpose4(src + group, 64, 16, dst + group);
}

const LAST_X = memory.data(1024, 16);
const LAST_IMPORTANCE = memory.data(1024, 16);

/**
 * `count` ≤ 8 blocks of 32 weights at `src`, one lane each, to the input of a search; missing blocks are zeros. For the
 * types whose blocks are weighed with the mean square of the row.
 */
@inline
export function loadEightBlocks(
  src: usize,
  importance: usize,
  count: usize,
  meanSquare: f32,
  x: usize,
  weights: usize,
): void {
  if (count < 8) {
    memory.fill(LAST_X, 0, 1024);
    memory.copy(LAST_X, src, 128 * count);
    memory.fill(LAST_IMPORTANCE, 0, 1024);
    memory.copy(LAST_IMPORTANCE, importance, 128 * count);
    src = LAST_X;
    importance = LAST_IMPORTANCE;
  }
  transpose8x32(src, x);
  transpose8x32(importance, weights);
  weighErrors(x, weights, 1024, f32x4.splat(meanSquare));
}
