// The search of affine.ts on eight sub-blocks of 32 weights at once: two groups (A, B) of four lanes, a lane per
// sub-block (transpose.wasm.ts). The groups are interleaved to hide the latency of the running sums (18 %;
// unrolling on top of that makes V8 spill and costs 20 %).
// Candidates cannot be lanes instead: each starts from the minimum that the last better one left behind.
import { nearestClamped, ROUNDER } from '../rounding.wasm';

/** Bytes of one group: 32 vectors. Group B follows group A. */
const GROUP: usize = 512;

/** Input: weights and their importance, transposed, 2 × 32 vectors each. */
export const AFFINE_X = memory.data(1024, 16);
export const AFFINE_WEIGHTS = memory.data(1024, 16);
const TRIAL_CODES = memory.data(1024, 16);

/** Output, eight floats each: scale; minimum, negated; and what the winning codes were rounded with. */
export const AFFINE_SCALE = memory.data(32, 16);
export const AFFINE_MIN = memory.data(32, 16);
export const AFFINE_CODE_INVERSE = memory.data(32, 16);
export const AFFINE_CODE_MIN = memory.data(32, 16);

/** Tries (first + step·k + maxCode) / (largest − smallest) for k = 0…steps. */
export function fitAffine8(first: f32, step: f32, steps: i32, maxCode: f32): void {
  const high = f32x4.splat(maxCode);
  const rounder = v128.load(ROUNDER);
  const zero = i64x2.splat(0);

  let xA = v128.load(AFFINE_X);
  let xB = v128.load(AFFINE_X + GROUP);
  let wA = v128.load(AFFINE_WEIGHTS);
  let wB = v128.load(AFFINE_WEIGHTS + GROUP);
  let minA = xA;
  let minB = xB;
  let maxA = xA;
  let maxB = xB;
  let sumWA = wA;
  let sumWB = wB;
  let sumXA = f32x4.mul(wA, xA);
  let sumXB = f32x4.mul(wB, xB);
  for (let i: usize = 16; i < GROUP; i += 16) {
    xA = v128.load(AFFINE_X + i);
    wA = v128.load(AFFINE_WEIGHTS + i);
    minA = f32x4.pmin(minA, xA);
    maxA = f32x4.pmax(maxA, xA);
    sumWA = f32x4.add(sumWA, wA);
    sumXA = f32x4.add(sumXA, f32x4.mul(wA, xA));
    xB = v128.load(AFFINE_X + GROUP + i);
    wB = v128.load(AFFINE_WEIGHTS + GROUP + i);
    minB = f32x4.pmin(minB, xB);
    maxB = f32x4.pmax(maxB, xB);
    sumWB = f32x4.add(sumWB, wB);
    sumXB = f32x4.add(sumXB, f32x4.mul(wB, xB));
  }
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
  for (let i: usize = 0; i < GROUP; i += 16) {
    xA = v128.load(AFFINE_X + i);
    const codeA = nearestClamped(f32x4.mul(inverseA, f32x4.sub(xA, minA)), rounder, zero, high);
    bestA = f32x4.add(bestA, weighted(AFFINE_WEIGHTS + i, difference(codeA, scaleA, minA, xA)));
    xB = v128.load(AFFINE_X + GROUP + i);
    const codeB = nearestClamped(f32x4.mul(inverseB, f32x4.sub(xB, minB)), rounder, zero, high);
    bestB = f32x4.add(bestB, weighted(AFFINE_WEIGHTS + GROUP + i, difference(codeB, scaleB, minB, xB)));
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
    for (let i: usize = 0; i < GROUP; i += 16) {
      xA = v128.load(AFFINE_X + i);
      const codeA = nearestClamped(f32x4.mul(inverseA, f32x4.sub(xA, minA)), rounder, zero, high);
      v128.store(TRIAL_CODES + i, codeA);
      const wlA = f32x4.mul(v128.load(AFFINE_WEIGHTS + i), codeA);
      sumLA = f32x4.add(sumLA, wlA);
      sumL2A = f32x4.add(sumL2A, f32x4.mul(wlA, codeA));
      sumXLA = f32x4.add(sumXLA, f32x4.mul(wlA, xA));
      xB = v128.load(AFFINE_X + GROUP + i);
      const codeB = nearestClamped(f32x4.mul(inverseB, f32x4.sub(xB, minB)), rounder, zero, high);
      v128.store(TRIAL_CODES + GROUP + i, codeB);
      const wlB = f32x4.mul(v128.load(AFFINE_WEIGHTS + GROUP + i), codeB);
      sumLB = f32x4.add(sumLB, wlB);
      sumL2B = f32x4.add(sumL2B, f32x4.mul(wlB, codeB));
      sumXLB = f32x4.add(sumXLB, f32x4.mul(wlB, xB));
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
    for (let i: usize = 0; i < GROUP; i += 16) {
      const diffA = difference(v128.load(TRIAL_CODES + i), trialScaleA, trialMinA, v128.load(AFFINE_X + i));
      errorA = f32x4.add(errorA, weighted(AFFINE_WEIGHTS + i, diffA));
      const diffB = difference(v128.load(TRIAL_CODES + GROUP + i), trialScaleB, trialMinB, v128.load(AFFINE_X + GROUP + i));
      errorB = f32x4.add(errorB, weighted(AFFINE_WEIGHTS + GROUP + i, diffB));
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
  v128.store(AFFINE_SCALE, v128.and(scaleA, aliveA));
  v128.store(AFFINE_SCALE, v128.and(scaleB, aliveB), 16);
  v128.store(AFFINE_MIN, f32x4.neg(minA));
  v128.store(AFFINE_MIN, f32x4.neg(minB), 16);
  v128.store(AFFINE_CODE_INVERSE, v128.and(codeInverseA, aliveA));
  v128.store(AFFINE_CODE_INVERSE, v128.and(codeInverseB, aliveB), 16);
  v128.store(AFFINE_CODE_MIN, codeMinA);
  v128.store(AFFINE_CODE_MIN, codeMinB, 16);
}

@inline
function difference(code: v128, scale: v128, min: v128, x: v128): v128 {
  return f32x4.sub(f32x4.add(f32x4.mul(scale, code), min), x);
}

@inline
function weighted(weights: usize, difference: v128): v128 {
  return f32x4.mul(v128.load(weights), f32x4.mul(difference, difference));
}
