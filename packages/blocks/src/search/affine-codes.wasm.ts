// Codes of the types with a minimum, sixteen at a time.
import { nearestInt4 } from '../rounding.wasm';

/** clamp(nearest((x + min) / scale), 0, maxCode) of sixteen floats at `src`, a byte each. */
@inline
export function storedCodes(src: usize, scale: v128, min: v128, maxCode: v128): v128 {
  return clampedBytes(
    nearestInt4(f32x4.div(f32x4.add(v128.load(src), min), scale)),
    nearestInt4(f32x4.div(f32x4.add(v128.load(src, 16), min), scale)),
    nearestInt4(f32x4.div(f32x4.add(v128.load(src, 32), min), scale)),
    nearestInt4(f32x4.div(f32x4.add(v128.load(src, 48), min), scale)),
    maxCode,
  );
}

/** clamp(nearest(inverse · (x − min)), 0, maxCode): the codes that a search in affine.wasm.ts ended with. */
@inline
export function searchCodes(src: usize, inverse: v128, min: v128, maxCode: v128): v128 {
  return clampedBytes(
    nearestInt4(f32x4.mul(inverse, f32x4.sub(v128.load(src), min))),
    nearestInt4(f32x4.mul(inverse, f32x4.sub(v128.load(src, 16), min))),
    nearestInt4(f32x4.mul(inverse, f32x4.sub(v128.load(src, 32), min))),
    nearestInt4(f32x4.mul(inverse, f32x4.sub(v128.load(src, 48), min))),
    maxCode,
  );
}

/** Narrowing to unsigned bytes limits the codes from below. */
@inline
function clampedBytes(a: v128, b: v128, c: v128, d: v128, maxCode: v128): v128 {
  return i8x16.narrow_i16x8_u(
    i16x8.narrow_i32x4_s(i32x4.min_s(maxCode, a), i32x4.min_s(maxCode, b)),
    i16x8.narrow_i32x4_s(i32x4.min_s(maxCode, c), i32x4.min_s(maxCode, d)),
  );
}
