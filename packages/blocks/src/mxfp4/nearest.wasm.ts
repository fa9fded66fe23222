// nearest.ts on sixteen weights: how many of the seven midpoints between the magnitudes of FP4 a weight is beyond.
// Comparing with midpoints chooses as comparing errors does: next to a midpoint the differences are exact in F32.

/** Midpoints times `scale`, 7 vectors, for nearestFp4x16. */
const MIDPOINTS = memory.data(112, 16);

/** Prepares for weights of one scale. */
@inline
export function setFp4Scale(scale: f32): void {
  v128.store(MIDPOINTS, f32x4.splat(<f32>0.5 * scale));
  v128.store(MIDPOINTS, f32x4.splat(<f32>1.5 * scale), 16);
  v128.store(MIDPOINTS, f32x4.splat(<f32>2.5 * scale), 32);
  v128.store(MIDPOINTS, f32x4.splat(<f32>3.5 * scale), 48);
  v128.store(MIDPOINTS, f32x4.splat(<f32>5 * scale), 64);
  v128.store(MIDPOINTS, f32x4.splat(<f32>7 * scale), 80);
  v128.store(MIDPOINTS, f32x4.splat(<f32>10 * scale), 96);
}

/** Codes of the sixteen weights at `src`, a byte each. */
@inline
export function nearestFp4x16(src: usize): v128 {
  const x0 = v128.load(src);
  const x1 = v128.load(src, 16);
  const x2 = v128.load(src, 32);
  const x3 = v128.load(src, 48);
  const beyond01 = i16x8.narrow_i32x4_s(beyond(f32x4.abs(x0)), beyond(f32x4.abs(x1)));
  const beyond23 = i16x8.narrow_i32x4_s(beyond(f32x4.abs(x2)), beyond(f32x4.abs(x3)));
  const negated = i8x16.narrow_i16x8_s(beyond01, beyond23); // 0 … −7
  const signs = i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(x0, x1), i16x8.narrow_i32x4_s(x2, x3));
  const eight = v128.and(v128.and(signs, negated), i8x16.splat(-128));
  return v128.or(i8x16.neg(negated), i8x16.shr_u(eight, 4));
}

@inline
function beyond(x: v128): v128 {
  let count = f32x4.gt(x, v128.load(MIDPOINTS));
  count = i32x4.add(count, f32x4.gt(x, v128.load(MIDPOINTS, 16)));
  count = i32x4.add(count, f32x4.gt(x, v128.load(MIDPOINTS, 32)));
  count = i32x4.add(count, f32x4.gt(x, v128.load(MIDPOINTS, 48)));
  count = i32x4.add(count, f32x4.gt(x, v128.load(MIDPOINTS, 64)));
  count = i32x4.add(count, f32x4.gt(x, v128.load(MIDPOINTS, 80)));
  return i32x4.add(count, f32x4.gt(x, v128.load(MIDPOINTS, 96)));
}
