// The search of positive.ts on four groups at once, a lane per group, and on the scales and the minima of one block: lane 0
// has the scales, lane 1 the minima (the other lanes repeat the scales).
import { nearestInt4 } from '../rounding.wasm';
import { AFFINE_MIN, AFFINE_SCALE, AFFINE_SUM_WEIGHTS } from './affine.wasm';

/** Input: numbers and how much their errors count, 32 vectors each at most. */
export const POSITIVE_X = memory.data(512, 16);
export const POSITIVE_WEIGHTS = memory.data(512, 16);
/** Output, a vector per number: its codes, below 256. Of a block, those of scale and minimum are in the first two lanes. */
export const POSITIVE_CODES = memory.data(512, 16);
/** Output: the scales; of a block, what one unit of the scales is worth, then of the minima. */
export const POSITIVE_UNITS = memory.data(16, 16);

const LOW_BYTE = memory.data<u32>([0xff, 0xff, 0xff, 0xff], 16);
const ROUNDS = 5;
const GROUP_EPSILON: f32 = 1e-15;

/** Stores the fits of the first `count` sub-blocks of affine.wasm.ts in codes 0…maxCode. */
export function fitPositive(count: usize, maxCode: f32): void {
  for (let i: usize = 0; i < 16 * count; i += 16) {
    const scale = f32x4.splat(load<f32>(AFFINE_SCALE + (i >> 2)));
    const x = f32x4.replace_lane(scale, 1, load<f32>(AFFINE_MIN + (i >> 2)));
    v128.store(POSITIVE_X + i, x);
    v128.store(POSITIVE_WEIGHTS + i, v128.load32_splat(AFFINE_SUM_WEIGHTS + (i >> 2)));
  }
  fitPositiveLanes(count, maxCode);
}

/** Fits the first `count` numbers of each lane with codes 0…maxCode. */
export function fitPositiveLanes(count: usize, maxCode: f32): void {
  const end: usize = 16 * count;
  const zero = i64x2.splat(0);
  let max = zero;
  for (let i: usize = 0; i < end; i += 16) max = f32x4.pmax(max, v128.load(POSITIVE_X + i));
  const alive = f32x4.ge(max, f32x4.splat(GROUP_EPSILON));
  const inverse = bestInverse(end, max, maxCode);

  const lowByte = v128.load(LOW_BYTE);
  const largest = i32x4.splat(<i32>maxCode);
  let sumXL = zero;
  let sumL2 = zero;
  for (let i: usize = 0; i < end; i += 16) {
    const x = v128.load(POSITIVE_X + i);
    const w = v128.load(POSITIVE_WEIGHTS + i);
    const code = i32x4.min_s(largest, nearestInt4(f32x4.mul(inverse, x)));
    const l = f32x4.convert_i32x4_s(code);
    v128.store(POSITIVE_CODES + i, v128.and(code, lowByte));
    sumXL = f32x4.add(sumXL, f32x4.mul(f32x4.mul(w, x), l));
    sumL2 = f32x4.add(sumL2, f32x4.mul(f32x4.mul(w, l), l));
  }
  for (let round = 0; round < ROUNDS; round++) {
    let changed = zero;
    for (let i: usize = 0; i < end; i += 16) {
      const x = v128.load(POSITIVE_X + i);
      const w = v128.load(POSITIVE_WEIGHTS + i);
      const wx = f32x4.mul(w, x);
      const old = v128.load(POSITIVE_CODES + i);
      const oldL = f32x4.convert_i32x4_s(old);
      let xl = f32x4.sub(sumXL, f32x4.mul(wx, oldL));
      let l2 = f32x4.sub(sumL2, f32x4.mul(f32x4.mul(w, oldL), oldL));
      const usable = v128.and(f32x4.gt(xl, zero), f32x4.gt(l2, zero));
      const code = i32x4.min_s(largest, nearestInt4(f32x4.div(f32x4.mul(x, l2), xl)));
      const moves = v128.and(v128.and(usable, alive), i32x4.ne(code, old));
      if (!v128.any_true(moves)) continue;
      const l = f32x4.convert_i32x4_s(code);
      xl = f32x4.add(xl, f32x4.mul(wx, l));
      l2 = f32x4.add(l2, f32x4.mul(f32x4.mul(w, l), l));
      const fit = f32x4.mul(f32x4.mul(xl, xl), sumL2);
      const better = v128.and(moves, f32x4.gt(fit, f32x4.mul(f32x4.mul(sumXL, sumXL), l2)));
      v128.store(POSITIVE_CODES + i, v128.bitselect(v128.and(code, lowByte), old, better));
      sumXL = v128.bitselect(xl, sumXL, better);
      sumL2 = v128.bitselect(l2, sumL2, better);
      changed = v128.or(changed, better);
    }
    if (!v128.any_true(changed)) break;
  }
  const units = v128.and(f32x4.div(sumXL, sumL2), f32x4.gt(sumL2, zero));
  v128.store(POSITIVE_UNITS, v128.and(units, alive));
  for (let i: usize = 0; i < end; i += 16) {
    v128.store(POSITIVE_CODES + i, v128.and(v128.load(POSITIVE_CODES + i), alive));
  }
}

/** Of the step sizes (maxCode + k/10) / max the one with the least error. */
@inline
function bestInverse(end: usize, max: v128, maxCode: f32): v128 {
  const lowByte = v128.load(LOW_BYTE);
  const largest = i32x4.splat(<i32>maxCode);
  let best = f32x4.div(f32x4.splat(maxCode), max);
  let bestError = i64x2.splat(0);
  let scale = f32x4.div(f32x4.splat(1), best);
  for (let i: usize = 0; i < end; i += 16) {
    const x = v128.load(POSITIVE_X + i);
    const code = v128.and(nearestInt4(f32x4.mul(best, x)), lowByte);
    bestError = f32x4.add(bestError, weighted(POSITIVE_WEIGHTS + i, x, scale, code));
  }
  for (let k = -4; k <= 4; k++) {
    if (k == 0) continue;
    const inverse = f32x4.div(f32x4.splat(<f32>0.1 * <f32>k + maxCode), max);
    scale = f32x4.div(f32x4.splat(1), inverse);
    let error = i64x2.splat(0);
    for (let i: usize = 0; i < end; i += 16) {
      const x = v128.load(POSITIVE_X + i);
      const code = i32x4.min_s(largest, nearestInt4(f32x4.mul(inverse, x)));
      error = f32x4.add(error, weighted(POSITIVE_WEIGHTS + i, x, scale, code));
    }
    const better = f32x4.lt(error, bestError);
    best = v128.bitselect(inverse, best, better);
    bestError = v128.bitselect(error, bestError, better);
  }
  return best;
}

@inline
function weighted(weights: usize, x: v128, scale: v128, code: v128): v128 {
  const difference = f32x4.sub(x, f32x4.mul(scale, f32x4.convert_i32x4_s(code)));
  return f32x4.mul(f32x4.mul(v128.load(weights), difference), difference);
}
