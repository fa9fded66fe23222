// Of the points around a vector of four codes (tables.wasm.ts), the one with the least error Σ w · (scale · q − x)², as ggml
// finds it: sums in order, the first of equally good ones. A lane per point.
import { FOUR_GROUP_BYTES, FOUR_MAP_BYTES } from './tables.wasm';

const LANES = memory.data<i32>([0, 1, 2, 3], 16);
const LARGEST_FLOAT: f32 = 3.4028234663852886e38;

/**
 * Where the first q of the point with the least error lies, the others 4, 8 and 12 bytes further; 0 when no error is finite.
 * `entry` is that of the vector in the map of `table`; `x` and `weights` point at four floats.
 */
export function nearestFour(table: usize, entry: u32, x: usize, weights: usize, scale: f32): usize {
  const list = table + FOUR_MAP_BYTES + FOUR_GROUP_BYTES * (entry >> 8);
  const groups = entry & 255;
  const scales = f32x4.splat(scale);
  let bestError = f32x4.splat(LARGEST_FLOAT);
  let bestIndex = i32x4.splat(-1);
  let index = v128.load(LANES);
  for (let group: u32 = 0; group < groups; group++) {
    const q = v128.load(list + FOUR_GROUP_BYTES * group);
    const low = i16x8.extend_low_i8x16_u(q);
    const high = i16x8.extend_high_i8x16_u(q);
    let error = errorOf(i32x4.extend_low_i16x8_u(low), scales, x, weights);
    error = f32x4.add(error, errorOf(i32x4.extend_high_i16x8_u(low), scales, x + 4, weights + 4));
    error = f32x4.add(error, errorOf(i32x4.extend_low_i16x8_u(high), scales, x + 8, weights + 8));
    error = f32x4.add(error, errorOf(i32x4.extend_high_i16x8_u(high), scales, x + 12, weights + 12));
    const better = f32x4.lt(error, bestError);
    bestError = v128.bitselect(error, bestError, better);
    bestIndex = v128.bitselect(index, bestIndex, better);
    index = i32x4.add(index, i32x4.splat(4));
  }
  // Of the lanes with the least error the lowest index; −1, where there is none, is the largest unsigned number.
  let least = f32x4.pmin(bestError, v128.shuffle<f32>(bestError, bestError, 2, 3, 0, 1));
  least = f32x4.pmin(least, v128.shuffle<f32>(least, least, 1, 0, 3, 2));
  let winner = v128.or(bestIndex, v128.not(f32x4.eq(bestError, least)));
  winner = i32x4.min_u(winner, v128.shuffle<i32>(winner, winner, 2, 3, 0, 1));
  winner = i32x4.min_u(winner, v128.shuffle<i32>(winner, winner, 1, 0, 3, 2));
  const found = i32x4.extract_lane(winner, 0);
  return found < 0 ? 0 : list + FOUR_GROUP_BYTES * (found >> 2) + (found & 3);
}

@inline
function errorOf(q: v128, scales: v128, x: usize, weights: usize): v128 {
  const difference = f32x4.sub(f32x4.mul(scales, f32x4.convert_i32x4_s(q)), v128.load32_splat(x));
  return f32x4.mul(f32x4.mul(v128.load32_splat(weights), difference), difference);
}
