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
/** The error of the first point in byte units. Smaller ones than the best cannot overflow their sum. */
const FIRST: f32 = 200;
/** Rounding to bytes moves a sum by 4 at most, so that two sums 8 apart may belong to equal errors; one more for F32. */
const SLACK: i8 = 9;
const LARGEST_FLOAT: f32 = 3.4028234663852886e38;

/**
 * The point with the least error, or −1 when no error is finite. `entry` is that of the vector in the map of `table`;
 * `x` and `weights` point at eight floats; code c stands for `value<c>`.
 */
export function nearestEight(table: usize, entry: u32, x: usize, weights: usize, value0: f32, value1: f32, value2: f32): i32 {
  const list = table + EIGHT_MAP_BYTES + EIGHT_GROUP_BYTES * (entry >> 8);
  const groups = <usize>entry & 255;
  const xLow = v128.load(x);
  const xHigh = v128.load(x, 16);
  const wLow = v128.load(weights);
  const wHigh = v128.load(weights, 16);
  const low0 = errorOf(value0, xLow, wLow);
  const high0 = errorOf(value0, xHigh, wHigh);
  const low1 = errorOf(value1, xLow, wLow);
  const high1 = errorOf(value1, xHigh, wHigh);
  const low2 = errorOf(value2, xLow, wLow);
  const high2 = errorOf(value2, xHigh, wHigh);
  v128.store(ERRORS, low0);
  v128.store(ERRORS, high0, 16);
  v128.store(ERRORS, low1, 32);
  v128.store(ERRORS, high1, 48);
  v128.store(ERRORS, low2, 64);
  v128.store(ERRORS, high2, 80);

  const unit: f32 = FIRST / errorAt(pointAt(list, 0));
  if (!(unit > 0 && unit < Infinity)) return nearestOfAll(list, groups);
  const units = f32x4.splat(unit);
  const bytes0 = i16x8.narrow_i32x4_u(inUnits(low0, units), inUnits(high0, units));
  const bytes1 = i16x8.narrow_i32x4_u(inUnits(low1, units), inUnits(high1, units));
  const bytes2 = i16x8.narrow_i32x4_u(inUnits(low2, units), inUnits(high2, units));
  const bytes01 = i8x16.narrow_i16x8_u(bytes0, bytes1);
  const bytes2_ = i8x16.narrow_i16x8_u(bytes2, bytes2);
  // Of two neighbouring codes at a time: what each of their sixteen possible values adds.
  const pair0 = i8x16.add_sat_u(
    v128.shuffle<u8>(bytes01, bytes2_, 0, 8, 16, 0, 0, 8, 16, 0, 0, 8, 16, 0, 0, 8, 16, 0),
    v128.shuffle<u8>(bytes01, bytes2_, 1, 1, 1, 1, 9, 9, 9, 9, 17, 17, 17, 17, 1, 1, 1, 1),
  );
  const pair1 = i8x16.add_sat_u(
    v128.shuffle<u8>(bytes01, bytes2_, 2, 10, 18, 2, 2, 10, 18, 2, 2, 10, 18, 2, 2, 10, 18, 2),
    v128.shuffle<u8>(bytes01, bytes2_, 3, 3, 3, 3, 11, 11, 11, 11, 19, 19, 19, 19, 3, 3, 3, 3),
  );
  const pair2 = i8x16.add_sat_u(
    v128.shuffle<u8>(bytes01, bytes2_, 4, 12, 20, 4, 4, 12, 20, 4, 4, 12, 20, 4, 4, 12, 20, 4),
    v128.shuffle<u8>(bytes01, bytes2_, 5, 5, 5, 5, 13, 13, 13, 13, 21, 21, 21, 21, 5, 5, 5, 5),
  );
  const pair3 = i8x16.add_sat_u(
    v128.shuffle<u8>(bytes01, bytes2_, 6, 14, 22, 6, 6, 14, 22, 6, 6, 14, 22, 6, 6, 14, 22, 6),
    v128.shuffle<u8>(bytes01, bytes2_, 7, 7, 7, 7, 15, 15, 15, 15, 23, 23, 23, 23, 7, 7, 7, 7),
  );

  const nibble = i8x16.splat(15);
  let least = i8x16.splat(-1);
  for (let group: usize = 0; group < groups; group++) {
    const low = v128.load(list + EIGHT_GROUP_BYTES * group);
    const high = v128.load(list + EIGHT_GROUP_BYTES * group, 16);
    const lowSum = i8x16.add_sat_u(
      i8x16.swizzle(pair0, v128.and(low, nibble)),
      i8x16.swizzle(pair1, v128.and(i16x8.shr_u(low, 4), nibble)),
    );
    const highSum = i8x16.add_sat_u(
      i8x16.swizzle(pair2, v128.and(high, nibble)),
      i8x16.swizzle(pair3, v128.and(i16x8.shr_u(high, 4), nibble)),
    );
    const sum = i8x16.add_sat_u(lowSum, highSum);
    v128.store(SUMS + 16 * group, sum);
    least = i8x16.min_u(least, sum);
  }
  least = i8x16.min_u(least, v128.shuffle<u64>(least, least, 1, 0));
  least = i8x16.min_u(least, v128.shuffle<u32>(least, least, 1, 0, 3, 2));
  least = i8x16.min_u(least, v128.shuffle<u16>(least, least, 1, 0, 3, 2, 5, 4, 7, 6));
  least = i8x16.min_u(least, i16x8.shr_u(least, 8));
  const limit = i8x16.add_sat_u(i8x16.splat(i8x16.extract_lane_s(least, 0)), i8x16.splat(SLACK));

  let best: i32 = -1;
  let bestError: f32 = LARGEST_FLOAT;
  for (let group: usize = 0; group < groups; group++) {
    let possible = <u32>i8x16.bitmask(i8x16.le_u(v128.load(SUMS + 16 * group), limit));
    for (; possible; possible &= possible - 1) {
      const point = pointAt(list + EIGHT_GROUP_BYTES * group, ctz(possible));
      const error = errorAt(point);
      if (error < bestError) {
        bestError = error;
        best = point;
      }
    }
  }
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
