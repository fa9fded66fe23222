// Of the points around a vector of eight codes (tables.wasm.ts), the one with the least error Σ w · (value of code − x)², as
// ggml finds it: sums in order, the first of equally good ones. There are up to 300, so they are sifted first: errors rounded
// to bytes are added for sixteen points at a time; only points that may still be the best get an exact sum.
import { EIGHT_GROUP_BYTES, EIGHT_MAP_BYTES } from './tables.wasm';

/** What each code adds to the error, 3 × 8 floats; and the same of a fourth code, which points do not have. */
const ERRORS = memory.data(128, 16);
/** Sums of bytes, of 20 groups of points. */
const SUMS = memory.data(320, 16);
const LIMIT = memory.data<f32>([255, 255, 255, 255], 16);
const INTEGERS = memory.data<f32>([8388608, 8388608, 8388608, 8388608], 16);
const LOW_BYTE = memory.data<u32>([0xff, 0xff, 0xff, 0xff], 16);
const NIBBLE = memory.data<u32>([0x0f0f0f0f, 0x0f0f0f0f, 0x0f0f0f0f, 0x0f0f0f0f], 16);
/** The expected error in byte units. */
const EXPECTED: f32 = 160;
/** Errors beyond these units are too close to zero or to overflow. */
const LEAST_UNIT: f32 = 1e-30;
const LARGEST_UNIT: f32 = 1e30;
/** Rounding to bytes moves a sum by 4 at most, so that two sums 8 apart may belong to equal errors; one more for F32. */
const SLACK: u32 = 9;
const LARGEST_FLOAT: f32 = 3.4028234663852886e38;

/** Output: about what the error of the last point found is; 0 when that is not known. */
export let lastError: f32 = 0;

/**
 * The point with the least error, or −1 when no error is finite. `entry` is that of the vector in the map of `table`;
 * `x` and `weights` point at eight floats; code c stands for `value<c>`. `expected` is about what the error will be, 0 when
 * there is no guess; it decides nothing but how well the sieve works.
 */
export function nearestEight(
  table: usize,
  entry: u32,
  x: usize,
  weights: usize,
  value0: f32,
  value1: f32,
  value2: f32,
  expected: f32,
): i32 {
  const list = table + EIGHT_MAP_BYTES + EIGHT_GROUP_BYTES * (entry >> 8);
  const groups = <usize>entry & 255;
  const xLow = v128.load(x);
  const xHigh = v128.load(x, 16);
  const wLow = v128.load(weights);
  const wHigh = v128.load(weights, 16);
  v128.store(ERRORS, errorOf(value0, xLow, wLow));
  v128.store(ERRORS, errorOf(value0, xHigh, wHigh), 16);
  v128.store(ERRORS, errorOf(value1, xLow, wLow), 32);
  v128.store(ERRORS, errorOf(value1, xHigh, wHigh), 48);
  v128.store(ERRORS, errorOf(value2, xLow, wLow), 64);
  v128.store(ERRORS, errorOf(value2, xHigh, wHigh), 80);

  let unit: f32 = EXPECTED / expected;
  let least: u32 = isUsable(unit) ? sumAll(list, groups, unit) : 255;
  if (least + SLACK > 255) {
    // No guess, or one so low that sums ran over.
    unit = EXPECTED / errorAt(pointAt(list, 0));
    if (!isUsable(unit)) return nearestOfAll(list, groups);
    least = sumAll(list, groups, unit);
  }
  return nearestPossible(list, groups, least, unit);
}

@inline
function isUsable(unit: f32): bool {
  return unit > LEAST_UNIT && unit < LARGEST_UNIT;
}

/** Sums of bytes of all points, in `unit` to an error of 1, to SUMS; returns the least. */
function sumAll(list: usize, groups: usize, unit: f32): u32 {
  const units = f32x4.splat(unit);
  // Bytes of codes 0, 1, 2 of four places each.
  const low = i8x16.narrow_i16x8_u(
    i16x8.narrow_i32x4_u(inUnits(v128.load(ERRORS), units), inUnits(v128.load(ERRORS, 32), units)),
    i16x8.narrow_i32x4_u(inUnits(v128.load(ERRORS, 64), units), i64x2.splat(0)),
  );
  const high = i8x16.narrow_i16x8_u(
    i16x8.narrow_i32x4_u(inUnits(v128.load(ERRORS, 16), units), inUnits(v128.load(ERRORS, 48), units)),
    i16x8.narrow_i32x4_u(inUnits(v128.load(ERRORS, 80), units), i64x2.splat(0)),
  );
  // Of two neighbouring codes at a time: what each of their sixteen possible values adds.
  const pair0 = i8x16.add_sat_u(
    v128.shuffle<u8>(low, low, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12),
    v128.shuffle<u8>(low, low, 1, 1, 1, 1, 5, 5, 5, 5, 9, 9, 9, 9, 13, 13, 13, 13),
  );
  const pair1 = i8x16.add_sat_u(
    v128.shuffle<u8>(low, low, 2, 6, 10, 14, 2, 6, 10, 14, 2, 6, 10, 14, 2, 6, 10, 14),
    v128.shuffle<u8>(low, low, 3, 3, 3, 3, 7, 7, 7, 7, 11, 11, 11, 11, 15, 15, 15, 15),
  );
  const pair2 = i8x16.add_sat_u(
    v128.shuffle<u8>(high, high, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12),
    v128.shuffle<u8>(high, high, 1, 1, 1, 1, 5, 5, 5, 5, 9, 9, 9, 9, 13, 13, 13, 13),
  );
  const pair3 = i8x16.add_sat_u(
    v128.shuffle<u8>(high, high, 2, 6, 10, 14, 2, 6, 10, 14, 2, 6, 10, 14, 2, 6, 10, 14),
    v128.shuffle<u8>(high, high, 3, 3, 3, 3, 7, 7, 7, 7, 11, 11, 11, 11, 15, 15, 15, 15),
  );
  const nibble = v128.load(NIBBLE);
  let least = i8x16.splat(-1);
  for (let group: usize = 0; group < groups; group++) {
    const first = v128.load(list + EIGHT_GROUP_BYTES * group);
    const last = v128.load(list + EIGHT_GROUP_BYTES * group, 16);
    const firstSum = i8x16.add_sat_u(
      i8x16.swizzle(pair0, v128.and(first, nibble)),
      i8x16.swizzle(pair1, v128.and(i16x8.shr_u(first, 4), nibble)),
    );
    const lastSum = i8x16.add_sat_u(
      i8x16.swizzle(pair2, v128.and(last, nibble)),
      i8x16.swizzle(pair3, v128.and(i16x8.shr_u(last, 4), nibble)),
    );
    const sum = i8x16.add_sat_u(firstSum, lastSum);
    v128.store(SUMS + 16 * group, sum);
    least = i8x16.min_u(least, sum);
  }
  least = i8x16.min_u(least, v128.shuffle<u64>(least, least, 1, 0));
  least = i8x16.min_u(least, v128.shuffle<u32>(least, least, 1, 0, 3, 2));
  least = i8x16.min_u(least, i32x4.shr_u(least, 16));
  least = i8x16.min_u(least, i16x8.shr_u(least, 8));
  return i8x16.extract_lane_u(least, 0);
}

/** Of the points whose sums are next to the least, the one with the least error. */
@inline
function nearestPossible(list: usize, groups: usize, least: u32, unit: f32): i32 {
  const limit = i8x16.splat(<i8>(least + SLACK));
  let best: i32 = -1;
  let bestError: f32 = LARGEST_FLOAT;
  for (let group: usize = 0; group < groups; group++) {
    let possible = <u32>i8x16.bitmask(i8x16.le_u(v128.load(SUMS + 16 * group), limit));
    if (groups == 1 && !(possible & (possible - 1))) {
      lastError = <f32>least / unit;
      return pointAt(list, ctz(possible));
    }
    for (; possible; possible &= possible - 1) {
      const point = pointAt(list + EIGHT_GROUP_BYTES * group, ctz(possible));
      const error = errorAt(point);
      if (error < bestError) {
        bestError = error;
        best = point;
      }
    }
  }
  lastError = best < 0 ? 0 : bestError;
  return best;
}

/** w · (value − x)², rounded as ggml rounds it. */
@inline
function errorOf(value: f32, x: v128, w: v128): v128 {
  const difference = f32x4.sub(f32x4.splat(value), x);
  return f32x4.mul(f32x4.mul(w, difference), difference);
}

/** Rounded to 0…255; NaN, like what is too large, becomes 255. */
@inline
function inUnits(errors: v128, units: v128): v128 {
  const limited = f32x4.pmin(v128.load(LIMIT), f32x4.mul(errors, units));
  return v128.and(f32x4.add(limited, v128.load(INTEGERS)), v128.load(LOW_BYTE));
}

@inline
function pointAt(group: usize, index: u32): u32 {
  return <u32>load<u8>(group + index) | (<u32>load<u8>(group + index, 16) << 8);
}

/** The error of a point. */
@inline
function errorAt(point: u32): f32 {
  let sum: f32 = load<f32>(ERRORS + 32 * (point & 3));
  sum += load<f32>(ERRORS + 32 * ((point >> 2) & 3), 4);
  sum += load<f32>(ERRORS + 32 * ((point >> 4) & 3), 8);
  sum += load<f32>(ERRORS + 32 * ((point >> 6) & 3), 12);
  sum += load<f32>(ERRORS + 32 * ((point >> 8) & 3), 16);
  sum += load<f32>(ERRORS + 32 * ((point >> 10) & 3), 20);
  sum += load<f32>(ERRORS + 32 * ((point >> 12) & 3), 24);
  return sum + load<f32>(ERRORS + 32 * (point >> 14), 28);
}

/** Without sifting, where errors are zero or too extreme for units. */
function nearestOfAll(list: usize, groups: usize): i32 {
  lastError = 0;
  let best: i32 = -1;
  let bestError: f32 = LARGEST_FLOAT;
  for (let i: usize = 0; i < 16 * groups; i++) {
    const point = pointAt(list + EIGHT_GROUP_BYTES * (i >> 4), <u32>i & 15);
    const error = errorAt(point);
    if (error < bestError) {
      bestError = error;
      best = point;
    }
  }
  return best;
}
