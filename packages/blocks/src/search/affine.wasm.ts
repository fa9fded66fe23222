// The search of affine.ts on eight sub-blocks at once: two groups (A, B) of four lanes, a lane per sub-block
// (transpose.wasm.ts). The groups are interleaved to hide the latency of the running sums (18 %; unrolling on top of that
// makes V8 spill and costs 20 %).
// Candidates cannot be lanes instead: each starts from the minimum that the last better one left behind.
import { nearestClamped, nearestInt4, ROUNDER } from '../rounding.wasm';

/** Input: weights and their importance for errors, transposed: groups of 32 or 16 vectors follow each other. */
export const AFFINE_X = memory.data(1024, 16);
export const AFFINE_WEIGHTS = memory.data(1024, 16);
const TRIAL_CODES = memory.data(1024, 16);

/**
 * Output, a float per sub-block: scale; minimum, negated; what the winning codes were rounded with (inverse 0 where all are
 * 0); and the sum of the weights of its errors.
 */
export const AFFINE_SCALE = memory.data(64, 16);
export const AFFINE_MIN = memory.data(64, 16);
export const AFFINE_CODE_INVERSE = memory.data(64, 16);
export const AFFINE_CODE_MIN = memory.data(64, 16);
export const AFFINE_SUM_WEIGHTS = memory.data(64, 16);

/** From here on `nearestClamped` and C's nearest_int part. */
const NEAREST_LIMIT = memory.data<f32>([4194304, 4194304, 4194304, 4194304], 16);

/** Eight sub-blocks of 32 weights. Tries (first + step·k + maxCode) / (largest − smallest) for k = 0…steps. */
export function fitAffine8x32(first: f32, step: f32, steps: i32, maxCode: f32): void {
  fitTwoGroups(0, 512, 0, first, step, steps, maxCode, false);
}

/** Sixteen sub-blocks of 16 weights, likewise. */
export function fitAffine16x16(first: f32, step: f32, steps: i32, maxCode: f32): void {
  fitEight16(0, 0, first, step, steps, maxCode);
  fitEight16(512, 32, first, step, steps, maxCode);
}

/** The same with errors counting by their magnitude instead of their square. */
export function fitAffine16x16Absolute(first: f32, step: f32, steps: i32, maxCode: f32): void {
  fitEight16Absolute(0, 0, first, step, steps, maxCode);
  fitEight16Absolute(512, 32, first, step, steps, maxCode);
}

function fitEight16(begin: usize, out: usize, first: f32, step: f32, steps: i32, maxCode: f32): void {
  fitTwoGroups(begin, 256, out, first, step, steps, maxCode, false);
}

function fitEight16Absolute(begin: usize, out: usize, first: f32, step: f32, steps: i32, maxCode: f32): void {
  fitTwoGroups(begin, 256, out, first, step, steps, maxCode, true);
}

/** Groups of `group` bytes at `begin` and after it; results `out` bytes into the outputs. */
@inline
function fitTwoGroups(
  begin: usize,
  group: usize,
  out: usize,
  first: f32,
  step: f32,
  steps: i32,
  maxCode: f32,
  absolute: bool,
): void {
  const high = f32x4.splat(maxCode);
  const rounder = v128.load(ROUNDER);
  const zero = i64x2.splat(0);

  const limit = v128.load(NEAREST_LIMIT);
  const end = begin + group;

  let xA = v128.load(AFFINE_X + begin);
  let xB = v128.load(AFFINE_X + group + begin);
  let wA = v128.load(AFFINE_WEIGHTS + begin);
  let wB = v128.load(AFFINE_WEIGHTS + group + begin);
  let minA = xA;
  let minB = xB;
  let maxA = xA;
  let maxB = xB;
  let sumWA = wA;
  let sumWB = wB;
  let sumXA = f32x4.mul(wA, xA);
  let sumXB = f32x4.mul(wB, xB);
  for (let i = begin + 16; i < end; i += 16) {
    xA = v128.load(AFFINE_X + i);
    wA = v128.load(AFFINE_WEIGHTS + i);
    minA = f32x4.pmin(minA, xA);
    maxA = f32x4.pmax(maxA, xA);
    sumWA = f32x4.add(sumWA, wA);
    sumXA = f32x4.add(sumXA, f32x4.mul(wA, xA));
    xB = v128.load(AFFINE_X + group + i);
    wB = v128.load(AFFINE_WEIGHTS + group + i);
    minB = f32x4.pmin(minB, xB);
    maxB = f32x4.pmax(maxB, xB);
    sumWB = f32x4.add(sumWB, wB);
    sumXB = f32x4.add(sumXB, f32x4.mul(wB, xB));
  }
  const smallestA = minA;
  const smallestB = minB;
  minA = v128.andnot(minA, f32x4.gt(minA, zero));
  minB = v128.andnot(minB, f32x4.gt(minB, zero));
  const aliveA = f32x4.ne(maxA, minA);
  const aliveB = f32x4.ne(maxB, minB);

  let inverseA = f32x4.div(high, f32x4.sub(maxA, minA));
  let inverseB = f32x4.div(high, f32x4.sub(maxB, minB));
  let scaleA = f32x4.div(f32x4.splat(1), inverseA);
  let scaleB = f32x4.div(f32x4.splat(1), inverseB);
  let bestA = zero;
  let bestB = zero;
  for (let i = begin; i < end; i += 16) {
    xA = v128.load(AFFINE_X + i);
    const codeA = exactCode(f32x4.mul(inverseA, f32x4.sub(xA, minA)), high);
    bestA = f32x4.add(bestA, weighted(AFFINE_WEIGHTS + i, difference(codeA, scaleA, minA, xA), absolute));
    xB = v128.load(AFFINE_X + group + i);
    const codeB = exactCode(f32x4.mul(inverseB, f32x4.sub(xB, minB)), high);
    bestB = f32x4.add(bestB, weighted(AFFINE_WEIGHTS + group + i, difference(codeB, scaleB, minB, xB), absolute));
  }

  let codeInverseA = inverseA;
  let codeInverseB = inverseB;
  let codeMinA = minA;
  let codeMinB = minB;
  for (let k = 0; k <= steps; k++) {
    const numerator = f32x4.splat(first + step * <f32>k + maxCode);
    inverseA = f32x4.div(numerator, f32x4.sub(maxA, minA));
    inverseB = f32x4.div(numerator, f32x4.sub(maxB, minB));
    let sumLA = zero;
    let sumLB = zero;
    let sumL2A = zero;
    let sumL2B = zero;
    let sumXLA = zero;
    let sumXLB = zero;
    for (let i = begin; i < end; i += 16) {
      xA = v128.load(AFFINE_X + i);
      const codeA = nearestClamped(f32x4.mul(inverseA, f32x4.sub(xA, minA)), rounder, zero, high);
      v128.store(TRIAL_CODES + i, codeA);
      const wlA = f32x4.mul(v128.load(AFFINE_WEIGHTS + i), codeA);
      sumLA = f32x4.add(sumLA, wlA);
      sumL2A = f32x4.add(sumL2A, f32x4.mul(wlA, codeA));
      sumXLA = f32x4.add(sumXLA, f32x4.mul(wlA, xA));
      xB = v128.load(AFFINE_X + group + i);
      const codeB = nearestClamped(f32x4.mul(inverseB, f32x4.sub(xB, minB)), rounder, zero, high);
      v128.store(TRIAL_CODES + group + i, codeB);
      const wlB = f32x4.mul(v128.load(AFFINE_WEIGHTS + group + i), codeB);
      sumLB = f32x4.add(sumLB, wlB);
      sumL2B = f32x4.add(sumL2B, f32x4.mul(wlB, codeB));
      sumXLB = f32x4.add(sumXLB, f32x4.mul(wlB, xB));
    }
    // Rounding errors can put the minimum far from the weights (when a single one counts): rare, but then C's codes are odd.
    const farA = f32x4.ge(f32x4.abs(f32x4.mul(inverseA, f32x4.sub(smallestA, minA))), limit);
    const farB = f32x4.ge(f32x4.abs(f32x4.mul(inverseB, f32x4.sub(smallestB, minB))), limit);
    if (v128.any_true(v128.or(farA, farB))) {
      exactTrial(begin, group, inverseA, minA, high);
      sumLA = v128.load(EXACT_SUMS);
      sumL2A = v128.load(EXACT_SUMS, 16);
      sumXLA = v128.load(EXACT_SUMS, 32);
      exactTrial(begin + group, group, inverseB, minB, high);
      sumLB = v128.load(EXACT_SUMS);
      sumL2B = v128.load(EXACT_SUMS, 16);
      sumXLB = v128.load(EXACT_SUMS, 32);
    }
    const determinantA = f32x4.sub(f32x4.mul(sumWA, sumL2A), f32x4.mul(sumLA, sumLA));
    const determinantB = f32x4.sub(f32x4.mul(sumWB, sumL2B), f32x4.mul(sumLB, sumLB));
    let trialScaleA = f32x4.div(f32x4.sub(f32x4.mul(sumWA, sumXLA), f32x4.mul(sumXA, sumLA)), determinantA);
    let trialScaleB = f32x4.div(f32x4.sub(f32x4.mul(sumWB, sumXLB), f32x4.mul(sumXB, sumLB)), determinantB);
    let trialMinA = f32x4.div(f32x4.sub(f32x4.mul(sumL2A, sumXA), f32x4.mul(sumLA, sumXLA)), determinantA);
    let trialMinB = f32x4.div(f32x4.sub(f32x4.mul(sumL2B, sumXB), f32x4.mul(sumLB, sumXLB)), determinantB);
    const aboveA = f32x4.gt(trialMinA, zero);
    const aboveB = f32x4.gt(trialMinB, zero);
    trialMinA = v128.andnot(trialMinA, aboveA);
    trialMinB = v128.andnot(trialMinB, aboveB);
    trialScaleA = v128.bitselect(f32x4.div(sumXLA, sumL2A), trialScaleA, aboveA);
    trialScaleB = v128.bitselect(f32x4.div(sumXLB, sumL2B), trialScaleB, aboveB);
    let errorA = zero;
    let errorB = zero;
    for (let i = begin; i < end; i += 16) {
      const diffA = difference(v128.load(TRIAL_CODES + i), trialScaleA, trialMinA, v128.load(AFFINE_X + i));
      errorA = f32x4.add(errorA, weighted(AFFINE_WEIGHTS + i, diffA, absolute));
      const diffB = difference(v128.load(TRIAL_CODES + group + i), trialScaleB, trialMinB, v128.load(AFFINE_X + group + i));
      errorB = f32x4.add(errorB, weighted(AFFINE_WEIGHTS + group + i, diffB, absolute));
    }
    const betterA = v128.and(f32x4.lt(errorA, bestA), f32x4.gt(determinantA, zero));
    const betterB = v128.and(f32x4.lt(errorB, bestB), f32x4.gt(determinantB, zero));
    bestA = v128.bitselect(errorA, bestA, betterA);
    bestB = v128.bitselect(errorB, bestB, betterB);
    codeInverseA = v128.bitselect(inverseA, codeInverseA, betterA);
    codeInverseB = v128.bitselect(inverseB, codeInverseB, betterB);
    codeMinA = v128.bitselect(minA, codeMinA, betterA);
    codeMinB = v128.bitselect(minB, codeMinB, betterB);
    scaleA = v128.bitselect(trialScaleA, scaleA, betterA);
    scaleB = v128.bitselect(trialScaleB, scaleB, betterB);
    minA = v128.bitselect(trialMinA, minA, betterA);
    minB = v128.bitselect(trialMinB, minB, betterB);
  }
  // A sub-block of one value has scale 0, and 0 as the inverse marks its codes as 0. Its trials never won: all codes are
  // then NaN or equal, so the determinant is not positive.
  v128.store(AFFINE_SCALE + out, v128.and(scaleA, aliveA));
  v128.store(AFFINE_SCALE + out, v128.and(scaleB, aliveB), 16);
  v128.store(AFFINE_MIN + out, f32x4.neg(minA));
  v128.store(AFFINE_MIN + out, f32x4.neg(minB), 16);
  v128.store(AFFINE_CODE_INVERSE + out, v128.and(codeInverseA, aliveA));
  v128.store(AFFINE_CODE_INVERSE + out, v128.and(codeInverseB, aliveB), 16);
  v128.store(AFFINE_CODE_MIN + out, codeMinA);
  v128.store(AFFINE_CODE_MIN + out, codeMinB, 16);
  v128.store(AFFINE_SUM_WEIGHTS + out, sumWA);
  v128.store(AFFINE_SUM_WEIGHTS + out, sumWB, 16);
}

@inline
function difference(code: v128, scale: v128, min: v128, x: v128): v128 {
  return f32x4.sub(f32x4.add(f32x4.mul(scale, code), min), x);
}

@inline
function weighted(weights: usize, difference: v128, absolute: bool): v128 {
  return f32x4.mul(v128.load(weights), absolute ? f32x4.abs(difference) : f32x4.mul(difference, difference));
}

const EXACT_SUMS = memory.data(48, 16);

/** The codes and sums of one trial of one group, exactly C's whatever the numbers. */
function exactTrial(begin: usize, group: usize, inverse: v128, min: v128, high: v128): void {
  let sumL = i64x2.splat(0);
  let sumL2 = sumL;
  let sumXL = sumL;
  for (let i = begin; i < begin + group; i += 16) {
    const x = v128.load(AFFINE_X + i);
    const code = exactCode(f32x4.mul(inverse, f32x4.sub(x, min)), high);
    v128.store(TRIAL_CODES + i, code);
    const wl = f32x4.mul(v128.load(AFFINE_WEIGHTS + i), code);
    sumL = f32x4.add(sumL, wl);
    sumL2 = f32x4.add(sumL2, f32x4.mul(wl, code));
    sumXL = f32x4.add(sumXL, f32x4.mul(wl, x));
  }
  v128.store(EXACT_SUMS, sumL);
  v128.store(EXACT_SUMS, sumL2, 16);
  v128.store(EXACT_SUMS, sumXL, 32);
}

@inline
function exactCode(value: v128, high: v128): v128 {
  return f32x4.pmin(f32x4.pmax(f32x4.convert_i32x4_s(nearestInt4(value)), i64x2.splat(0)), high);
}
