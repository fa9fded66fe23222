// The search of moving.ts on sixteen sub-blocks of 16 weights: four groups of four lanes, a lane per sub-block
// (transpose.wasm.ts), two groups (A, B) interleaved at a time, since each move waits for the one before.
import { nearestInt4 } from '../rounding.wasm';
import { GROUP_EPSILON } from './symmetric.wasm';

/** Bytes of one group: 16 vectors. Four groups follow each other. */
const GROUP: usize = 256;
const ROUNDS = 5;

/** Input: weights, transposed. Then w = x² and w·x, likewise. */
export const MOVING_X = memory.data(1024, 16);
const WEIGHTS = memory.data(1024, 16);
const WEIGHTED_X = memory.data(1024, 16);
/** Output: the codes as floats, transposed: q + half, or 0 where x counts as zero; and a scale per sub-block. */
export const MOVING_CODES = memory.data(1024, 16);
export const MOVING_SCALE = memory.data(64, 16);

/** Fits all sixteen sub-blocks with codes −half…half − 1. */
export function fitMoving16x16(half: f32): void {
  fitTwoGroups(0, 0, half);
  fitTwoGroups(2 * GROUP, 32, half);
}

/** Groups at `begin` and after it; scales `out` bytes into the output. */
function fitTwoGroups(begin: usize, out: usize, half: f32): void {
  const zero = i64x2.splat(0);
  const low = f32x4.splat(-half);
  const high = f32x4.splat(half - 1);
  const end = begin + GROUP;

  let magnitudeA = zero;
  let magnitudeB = zero;
  let extremeA = zero;
  let extremeB = zero;
  for (let i = begin; i < end; i += 16) {
    const xA = v128.load(MOVING_X + i);
    const largerA = f32x4.gt(f32x4.abs(xA), magnitudeA);
    magnitudeA = v128.bitselect(f32x4.abs(xA), magnitudeA, largerA);
    extremeA = v128.bitselect(xA, extremeA, largerA);
    const wA = f32x4.mul(xA, xA);
    v128.store(WEIGHTS + i, wA);
    v128.store(WEIGHTED_X + i, f32x4.mul(wA, xA));
    const xB = v128.load(MOVING_X + GROUP + i);
    const largerB = f32x4.gt(f32x4.abs(xB), magnitudeB);
    magnitudeB = v128.bitselect(f32x4.abs(xB), magnitudeB, largerB);
    extremeB = v128.bitselect(xB, extremeB, largerB);
    const wB = f32x4.mul(xB, xB);
    v128.store(WEIGHTS + GROUP + i, wB);
    v128.store(WEIGHTED_X + GROUP + i, f32x4.mul(wB, xB));
  }
  const aliveA = f32x4.ge(magnitudeA, f32x4.splat(GROUP_EPSILON));
  const inverseA = f32x4.div(low, extremeA);
  let sumXLA = zero;
  let sumL2A = zero;
  const aliveB = f32x4.ge(magnitudeB, f32x4.splat(GROUP_EPSILON));
  const inverseB = f32x4.div(low, extremeB);
  let sumXLB = zero;
  let sumL2B = zero;
  for (let i = begin; i < end; i += 16) {
    const lA = code(f32x4.mul(inverseA, v128.load(MOVING_X + i)), low, high);
    v128.store(MOVING_CODES + i, lA);
    sumXLA = f32x4.add(sumXLA, f32x4.mul(v128.load(WEIGHTED_X + i), lA));
    sumL2A = f32x4.add(sumL2A, squared(WEIGHTS + i, lA));
    const lB = code(f32x4.mul(inverseB, v128.load(MOVING_X + GROUP + i)), low, high);
    v128.store(MOVING_CODES + GROUP + i, lB);
    sumXLB = f32x4.add(sumXLB, f32x4.mul(v128.load(WEIGHTED_X + GROUP + i), lB));
    sumL2B = f32x4.add(sumL2B, squared(WEIGHTS + GROUP + i, lB));
  }
  for (let round = 0; round < ROUNDS; round++) {
    let changed = zero;
    for (let i = begin; i < end; i += 16) {
      const oldA = v128.load(MOVING_CODES + i);
      const wxA = v128.load(WEIGHTED_X + i);
      const restXLA = f32x4.sub(sumXLA, f32x4.mul(wxA, oldA));
      const restL2A = f32x4.sub(sumL2A, squared(WEIGHTS + i, oldA));
      const lA = code(f32x4.div(f32x4.mul(v128.load(MOVING_X + i), restL2A), restXLA), low, high);
      const newXLA = f32x4.add(restXLA, f32x4.mul(wxA, lA));
      const newL2A = f32x4.add(restL2A, squared(WEIGHTS + i, lA));
      const movesA = v128.and(v128.and(f32x4.gt(restXLA, zero), f32x4.gt(newL2A, zero)), f32x4.ne(lA, oldA));
      const fitA = f32x4.mul(f32x4.mul(newXLA, newXLA), sumL2A);
      const betterA = v128.and(movesA, f32x4.gt(fitA, f32x4.mul(f32x4.mul(sumXLA, sumXLA), newL2A)));
      v128.store(MOVING_CODES + i, v128.bitselect(lA, oldA, betterA));
      sumXLA = v128.bitselect(newXLA, sumXLA, betterA);
      sumL2A = v128.bitselect(newL2A, sumL2A, betterA);
      changed = v128.or(changed, v128.and(betterA, aliveA));
      const oldB = v128.load(MOVING_CODES + GROUP + i);
      const wxB = v128.load(WEIGHTED_X + GROUP + i);
      const restXLB = f32x4.sub(sumXLB, f32x4.mul(wxB, oldB));
      const restL2B = f32x4.sub(sumL2B, squared(WEIGHTS + GROUP + i, oldB));
      const lB = code(f32x4.div(f32x4.mul(v128.load(MOVING_X + GROUP + i), restL2B), restXLB), low, high);
      const newXLB = f32x4.add(restXLB, f32x4.mul(wxB, lB));
      const newL2B = f32x4.add(restL2B, squared(WEIGHTS + GROUP + i, lB));
      const movesB = v128.and(v128.and(f32x4.gt(restXLB, zero), f32x4.gt(newL2B, zero)), f32x4.ne(lB, oldB));
      const fitB = f32x4.mul(f32x4.mul(newXLB, newXLB), sumL2B);
      const betterB = v128.and(movesB, f32x4.gt(fitB, f32x4.mul(f32x4.mul(sumXLB, sumXLB), newL2B)));
      v128.store(MOVING_CODES + GROUP + i, v128.bitselect(lB, oldB, betterB));
      sumXLB = v128.bitselect(newXLB, sumXLB, betterB);
      sumL2B = v128.bitselect(newL2B, sumL2B, betterB);
      changed = v128.or(changed, v128.and(betterB, aliveB));
    }
    if (!v128.any_true(changed)) break;
  }
  const middle = f32x4.splat(half);
  for (let i = begin; i < end; i += 16) {
    v128.store(MOVING_CODES + i, v128.and(f32x4.add(v128.load(MOVING_CODES + i), middle), aliveA));
    v128.store(MOVING_CODES + GROUP + i, v128.and(f32x4.add(v128.load(MOVING_CODES + GROUP + i), middle), aliveB));
  }
  const scaleA = v128.and(f32x4.div(sumXLA, sumL2A), f32x4.gt(sumL2A, zero));
  v128.store(MOVING_SCALE + out, v128.and(scaleA, aliveA));
  const scaleB = v128.and(f32x4.div(sumXLB, sumL2B), f32x4.gt(sumL2B, zero));
  v128.store(MOVING_SCALE + out, v128.and(scaleB, aliveB), 16);
}

/** Nearest integers as floats, clamped to low…high, exactly C's also where the values are out of range. */
@inline
function code(values: v128, low: v128, high: v128): v128 {
  return f32x4.pmax(f32x4.pmin(f32x4.convert_i32x4_s(nearestInt4(values)), high), low);
}

/** w · l². */
@inline
function squared(weights: usize, l: v128): v128 {
  return f32x4.mul(f32x4.mul(v128.load(weights), l), l);
}
