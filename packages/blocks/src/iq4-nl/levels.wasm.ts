// The search of levels.ts on four groups of 32 weights, a lane per group (transpose.wasm.ts).
import { nearestLevels } from './nearest-level.wasm';
import { VALUES } from './values.wasm';

/** Input: weights and how much their errors count, transposed, 32 vectors each. */
export const LEVELS_X = memory.data(512, 16);
export const LEVELS_WEIGHTS = memory.data(512, 16);

const GROUP_EPSILON: f32 = 1e-15;
const TRIES: i32 = 7;

/** Weights count as much as their squares: without importance. */
@inline
export function weighBySquares(): void {
  for (let i: usize = 0; i < 512; i += 16) {
    const x = v128.load(LEVELS_X + i);
    v128.store(LEVELS_WEIGHTS + i, f32x4.mul(x, x));
  }
}

/** The best scale of each group, 0 for groups that count as zero. */
export function fitLevels4(): v128 {
  const zero = i64x2.splat(0);
  const values = v128.load(VALUES);
  let magnitude = zero;
  let extreme = zero;
  for (let i: usize = 0; i < 512; i += 16) {
    const x = v128.load(LEVELS_X + i);
    const size = f32x4.abs(x);
    const larger = f32x4.gt(size, magnitude);
    magnitude = v128.bitselect(size, magnitude, larger);
    extreme = v128.bitselect(x, extreme, larger);
  }

  let scale = zero;
  let best = zero;
  // The round before the first: −127 for the extreme weight, taken as it comes, with an inverse that is rounded twice.
  for (let k = -TRIES - 1; k <= TRIES; k++) {
    const inverse =
      k < -TRIES
        ? f32x4.div(f32x4.splat(1), f32x4.div(f32x4.neg(extreme), f32x4.splat(-127)))
        : f32x4.div(f32x4.splat(<f32>(k - 127)), extreme);
    let sumQX = zero;
    let sumQ2 = zero;
    for (let i: usize = 0; i < 512; i += 64) {
      const x0 = v128.load(LEVELS_X + i);
      const x1 = v128.load(LEVELS_X + i, 16);
      const x2 = v128.load(LEVELS_X + i, 32);
      const x3 = v128.load(LEVELS_X + i, 48);
      const codes = nearestLevels(
        f32x4.mul(inverse, x0),
        f32x4.mul(inverse, x1),
        f32x4.mul(inverse, x2),
        f32x4.mul(inverse, x3),
      );
      const levels = i8x16.swizzle(values, codes);
      const low = i16x8.extend_low_i8x16_s(levels);
      const high = i16x8.extend_high_i8x16_s(levels);
      const q0 = f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(low));
      const q1 = f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(low));
      const q2 = f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(high));
      const q3 = f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(high));
      const wq0 = f32x4.mul(v128.load(LEVELS_WEIGHTS + i), q0);
      const wq1 = f32x4.mul(v128.load(LEVELS_WEIGHTS + i, 16), q1);
      const wq2 = f32x4.mul(v128.load(LEVELS_WEIGHTS + i, 32), q2);
      const wq3 = f32x4.mul(v128.load(LEVELS_WEIGHTS + i, 48), q3);
      sumQX = f32x4.add(f32x4.add(sumQX, f32x4.mul(wq0, x0)), f32x4.mul(wq1, x1));
      sumQX = f32x4.add(f32x4.add(sumQX, f32x4.mul(wq2, x2)), f32x4.mul(wq3, x3));
      sumQ2 = f32x4.add(f32x4.add(sumQ2, f32x4.mul(wq0, q0)), f32x4.mul(wq1, q1));
      sumQ2 = f32x4.add(f32x4.add(sumQ2, f32x4.mul(wq2, q2)), f32x4.mul(wq3, q3));
    }
    let better = f32x4.gt(sumQ2, zero);
    if (k >= -TRIES) better = v128.and(better, f32x4.gt(f32x4.mul(sumQX, sumQX), f32x4.mul(best, sumQ2)));
    const trial = f32x4.div(sumQX, sumQ2);
    scale = v128.bitselect(trial, scale, better);
    best = v128.bitselect(f32x4.mul(trial, sumQX), best, better);
  }
  return v128.and(scale, f32x4.ge(magnitude, f32x4.splat(GROUP_EPSILON)));
}
