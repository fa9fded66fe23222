// The search of moving.ts on sixteen sub-blocks of 16 weights: four groups of four lanes, a lane per sub-block
// (transpose.wasm.ts). Each move waits for the sums that the one before left; a turn in which no lane moves leaves them
// alone by way of a branch, so that the processor runs ahead. Two groups side by side gain nothing on top of that.
import { nearestClamped, nearestInt4, ROUNDER } from '../rounding.wasm';
import { GROUP_EPSILON } from './symmetric.wasm';

/** Bytes of one group: 16 vectors. Four groups follow each other. */
const GROUP: usize = 256;
const COUNT = 16;
const ROUNDS = 5;

/** Input: weights, transposed. Then w = x² and w·x of one group. */
export const MOVING_X = memory.data(1024, 16);
const WEIGHTS = memory.data(256, 16);
const WEIGHTED_X = memory.data(256, 16);
/** Output: the codes as floats, transposed: q + half, or 0 where x counts as zero; and a scale per sub-block. */
export const MOVING_CODES = memory.data(1024, 16);
export const MOVING_SCALE = memory.data(64, 16);

/** Fits all sixteen sub-blocks with codes −half…half − 1. */
export function fitMoving16x16(half: f32): void {
  for (let group: usize = 0; group < 4; group++) {
    v128.store(MOVING_SCALE + 16 * group, fitGroup(MOVING_X + GROUP * group, MOVING_CODES + GROUP * group, half));
  }
}

/** Fits the 16 vectors at `xs`. @returns the scales */
function fitGroup(xs: usize, codes: usize, half: f32): v128 {
  const zero = i64x2.splat(0);
  const low = f32x4.splat(-half);
  const high = f32x4.splat(half - 1);
  let magnitude = zero;
  let extreme = zero;
  for (let i: usize = 0; i < GROUP; i += 16) {
    const x = v128.load(xs + i);
    const larger = f32x4.gt(f32x4.abs(x), magnitude);
    magnitude = v128.bitselect(f32x4.abs(x), magnitude, larger);
    extreme = v128.bitselect(x, extreme, larger);
    const w = f32x4.mul(x, x);
    v128.store(WEIGHTS + i, w);
    v128.store(WEIGHTED_X + i, f32x4.mul(w, x));
  }
  const alive = f32x4.ge(magnitude, f32x4.splat(GROUP_EPSILON));

  const rounder = v128.load(ROUNDER);
  const inverse = f32x4.div(low, extreme);
  let sumXL = zero;
  let sumL2 = zero;
  for (let i: usize = 0; i < GROUP; i += 16) {
    const l = nearestClamped(f32x4.mul(inverse, v128.load(xs + i)), rounder, low, high);
    v128.store(codes + i, l);
    sumXL = f32x4.add(sumXL, f32x4.mul(v128.load(WEIGHTED_X + i), l));
    sumL2 = f32x4.add(sumL2, squared(WEIGHTS + i, l));
  }
  // Once no code has moved for a whole round, none will.
  for (let turn = 0, quiet = 0; turn < ROUNDS * COUNT && quiet < COUNT; turn++, quiet++) {
    const i: usize = 16 * (turn % COUNT);
    const old = v128.load(codes + i);
    const restXL = f32x4.sub(sumXL, f32x4.mul(v128.load(WEIGHTED_X + i), old));
    const restL2 = f32x4.sub(sumL2, squared(WEIGHTS + i, old));
    // Exactly C's rounding also where this is out of range.
    const nearest = f32x4.convert_i32x4_s(nearestInt4(f32x4.div(f32x4.mul(v128.load(xs + i), restL2), restXL)));
    const l = f32x4.pmax(f32x4.pmin(nearest, high), low);
    const moves = v128.and(f32x4.gt(restXL, zero), f32x4.ne(l, old));
    if (!v128.any_true(moves)) continue;
    const newXL = f32x4.add(restXL, f32x4.mul(v128.load(WEIGHTED_X + i), l));
    const newL2 = f32x4.add(restL2, squared(WEIGHTS + i, l));
    const fits = f32x4.gt(f32x4.mul(f32x4.mul(newXL, newXL), sumL2), f32x4.mul(f32x4.mul(sumXL, sumXL), newL2));
    const better = v128.and(v128.and(moves, f32x4.gt(newL2, zero)), fits);
    if (!v128.any_true(better)) continue;
    v128.store(codes + i, v128.bitselect(l, old, better));
    sumXL = v128.bitselect(newXL, sumXL, better);
    sumL2 = v128.bitselect(newL2, sumL2, better);
    quiet = -1;
  }

  const middle = f32x4.splat(half);
  for (let i: usize = 0; i < GROUP; i += 16) {
    v128.store(codes + i, v128.and(f32x4.add(v128.load(codes + i), middle), alive));
  }
  return v128.and(v128.and(f32x4.div(sumXL, sumL2), f32x4.gt(sumL2, zero)), alive);
}

/** w · l². */
@inline
function squared(weights: usize, l: v128): v128 {
  return f32x4.mul(f32x4.mul(v128.load(weights), l), l);
}
