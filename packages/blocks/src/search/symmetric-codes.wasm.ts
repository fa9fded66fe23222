// Codes of the types without a minimum, sixteen at a time: q + half, with q in −half…half − 1.
import { nearestInt4 } from '../rounding.wasm';

/** half + clamp(nearest(x / scale), −half, half − 1) of sixteen floats at `src`, a byte each; `half` as integers. */
@inline
export function storedCodes(src: usize, scale: v128, half: v128): v128 {
  return clampedBytes(
    nearestInt4(f32x4.div(v128.load(src), scale)),
    nearestInt4(f32x4.div(v128.load(src, 16), scale)),
    nearestInt4(f32x4.div(v128.load(src, 32), scale)),
    nearestInt4(f32x4.div(v128.load(src, 48), scale)),
    half,
  );
}

/** The codes that a search in symmetric.wasm.ts ended with: 0 where its inverse says that the sub-block counts as zero. */
@inline
export function searchCodes(src: usize, inverse: f32, half: v128): v128 {
  return inverse == 0 ? i64x2.splat(0) : trialCodes(src, f32x4.splat(inverse), half);
}

/** half + clamp(nearest(inverse · x), −half, half − 1) of sixteen floats at `src`, a byte each. */
@inline
export function trialCodes(src: usize, inverse: v128, half: v128): v128 {
  return clampedBytes(
    nearestInt4(f32x4.mul(inverse, v128.load(src))),
    nearestInt4(f32x4.mul(inverse, v128.load(src, 16))),
    nearestInt4(f32x4.mul(inverse, v128.load(src, 32))),
    nearestInt4(f32x4.mul(inverse, v128.load(src, 48))),
    half,
  );
}

/** Narrowing to unsigned bytes limits the codes from below. */
@inline
function clampedBytes(a: v128, b: v128, c: v128, d: v128, half: v128): v128 {
  const largest = i32x4.sub(i32x4.add(half, half), i32x4.splat(1));
  return i8x16.narrow_i16x8_u(
    i16x8.narrow_i32x4_s(i32x4.min_s(largest, i32x4.add(a, half)), i32x4.min_s(largest, i32x4.add(b, half))),
    i16x8.narrow_i32x4_s(i32x4.min_s(largest, i32x4.add(c, half)), i32x4.min_s(largest, i32x4.add(d, half))),
  );
}
