// Vectors of four floats: partial loads and stores for row ends, and sums across lanes.

/** The first `count` ≥ 1 floats at `p`, at most four; the other lanes are 0. */
@inline
export function loadLanes(p: usize, count: usize): v128 {
  return count >= 4 ? v128.load(p) : loadSome(p, count);
}

function loadSome(p: usize, count: usize): v128 {
  let v = v128.load32_zero(p);
  if (count > 1) v = f32x4.replace_lane(v, 1, load<f32>(p, 4));
  if (count > 2) v = f32x4.replace_lane(v, 2, load<f32>(p, 8));
  return v;
}

/** Stores the first `count` ≥ 1 lanes at `p`, at most four. */
@inline
export function storeLanes(p: usize, v: v128, count: usize): void {
  if (count >= 4) v128.store(p, v);
  else storeSome(p, v, count);
}

function storeSome(p: usize, v: v128, count: usize): void {
  store<f32>(p, f32x4.extract_lane(v, 0));
  if (count > 1) store<f32>(p, f32x4.extract_lane(v, 1), 4);
  if (count > 2) store<f32>(p, f32x4.extract_lane(v, 2), 8);
}

/** The four sums of the lanes of a, b, c and d. */
@inline
export function sums(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 2, 6), v128.shuffle<f32>(a, b, 1, 5, 3, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 2, 6), v128.shuffle<f32>(c, d, 1, 5, 3, 7));
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
}

@inline
export function maxLane(v: v128): f32 {
  const pairs = f32x4.max(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1));
  return f32x4.extract_lane(f32x4.max(pairs, v128.shuffle<f32>(pairs, pairs, 1, 0, 3, 2)), 0);
}

/** Adds the four lanes of `v` to the two f64 lanes of `sum`. */
@inline
export function addWide(sum: v128, v: v128): v128 {
  const high = v128.shuffle<f32>(v, v, 2, 3, 2, 3);
  return f64x2.add(sum, f64x2.add(f64x2.promote_low_f32x4(v), f64x2.promote_low_f32x4(high)));
}

@inline
export function wideSum(sum: v128): f64 {
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}
