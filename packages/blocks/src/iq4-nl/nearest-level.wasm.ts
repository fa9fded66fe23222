// nearestLevel of levels.ts on sixteen numbers: how many of the fifteen midpoints between levels a number has reached.
// Midpoints are whole numbers or halves, so bytes are enough: a number reaches m when its floor does, and m + ½ when the
// floor of the number and a half reaches m + 1.

const ROUNDER = memory.data<f32>([12582912, 12582912, 12582912, 12582912], 16);
const ROUNDER_BITS = memory.data<u32>([0x4b400000, 0x4b400000, 0x4b400000, 0x4b400000], 16);
const LIMIT = memory.data<f32>([200, 200, 200, 200], 16);
const MINUS_LIMIT = memory.data<f32>([-200, -200, -200, -200], 16);

/** Codes of sixteen numbers within ±200, a byte each. */
@inline
export function nearestLevels(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = i16x8.narrow_i32x4_s(halves(a), halves(b));
  const cd = i16x8.narrow_i32x4_s(halves(c), halves(d));
  const one = i16x8.splat(1);
  const floors = i8x16.narrow_i16x8_s(i16x8.shr_s(ab, 1), i16x8.shr_s(cd, 1));
  const rounded = i8x16.narrow_i16x8_s(i16x8.shr_s(i16x8.add(ab, one), 1), i16x8.shr_s(i16x8.add(cd, one), 1));
  let count = i8x16.add(i8x16.gt_s(rounded, i8x16.splat(-116)), i8x16.gt_s(rounded, i8x16.splat(-94)));
  count = i8x16.add(count, i8x16.add(i8x16.gt_s(floors, i8x16.splat(-75)), i8x16.gt_s(floors, i8x16.splat(-58))));
  count = i8x16.add(count, i8x16.add(i8x16.gt_s(floors, i8x16.splat(-43)), i8x16.gt_s(rounded, i8x16.splat(-29))));
  count = i8x16.add(count, i8x16.add(i8x16.gt_s(floors, i8x16.splat(-17)), i8x16.gt_s(rounded, i8x16.splat(-5))));
  count = i8x16.add(count, i8x16.add(i8x16.gt_s(floors, i8x16.splat(6)), i8x16.gt_s(floors, i8x16.splat(18))));
  count = i8x16.add(count, i8x16.add(i8x16.gt_s(rounded, i8x16.splat(31)), i8x16.gt_s(rounded, i8x16.splat(45))));
  count = i8x16.add(count, i8x16.add(i8x16.gt_s(floors, i8x16.splat(60)), i8x16.gt_s(floors, i8x16.splat(78))));
  return i8x16.neg(i8x16.add(count, i8x16.gt_s(floors, i8x16.splat(100))));
}

/** ⌊2x⌋ as integers. */
@inline
function halves(x: v128): v128 {
  const whole = f32x4.floor(f32x4.add(x, x));
  return i32x4.sub(f32x4.add(whole, v128.load(ROUNDER)), v128.load(ROUNDER_BITS));
}

/** Codes of 32 weights at `src` times `inverse`, packed into nibbles: 16 bytes at `dst`. NaN gets the highest code. */
@inline
export function storeLevels(src: usize, dst: usize, inverse: v128): void {
  v128.store(dst, v128.or(codes(src, inverse), i8x16.shl(codes(src + 64, inverse), 4)));
}

@inline
function codes(src: usize, inverse: v128): v128 {
  return nearestLevels(
    limited(f32x4.mul(v128.load(src), inverse)),
    limited(f32x4.mul(v128.load(src, 16), inverse)),
    limited(f32x4.mul(v128.load(src, 32), inverse)),
    limited(f32x4.mul(v128.load(src, 48), inverse)),
  );
}

@inline
function limited(x: v128): v128 {
  return f32x4.pmax(v128.load(MINUS_LIMIT), f32x4.pmin(v128.load(LIMIT), x));
}
