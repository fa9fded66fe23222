// The search of symmetric.ts on eight sub-blocks at once: two groups (A, B) of four lanes, a lane per sub-block
// (transpose.wasm.ts), interleaved to hide the latency of the running sums.
import { nearestClamped, ROUNDER } from '../rounding.wasm';

/** Input: weights and their importance for errors, transposed: groups of 32 or 16 vectors follow each other. */
export const SYMMETRIC_X = memory.data(1024, 16);
export const SYMMETRIC_WEIGHTS = memory.data(1024, 16);
const WEIGHTED_X = memory.data(1024, 16);

/** Output, a float per sub-block: scale, and what the winning codes were rounded with; both 0 where x counts as zero. */
export const SYMMETRIC_SCALE = memory.data(64, 16);
export const SYMMETRIC_CODE_INVERSE = memory.data(64, 16);

export const GROUP_EPSILON: f32 = 1e-15;

/** Eight sub-blocks of 32 weights, codes −half…half − 1. */
export function fitSymmetric8x32(half: f32): void {
  fitTwoGroups(0, 512, 0, half);
}

/** Sixteen sub-blocks of 16 weights, likewise. */
export function fitSymmetric16x16(half: f32): void {
  fitEight16(0, 0, half);
  fitEight16(512, 32, half);
}

function fitEight16(begin: usize, out: usize, half: f32): void {
  fitTwoGroups(begin, 256, out, half);
}

/** Groups of `group` bytes at `begin` and after it; results `out` bytes into the outputs. */
@inline
function fitTwoGroups(begin: usize, group: usize, out: usize, half: f32): void {
  const rounder = v128.load(ROUNDER);
  const low = f32x4.splat(-half);
  const high = f32x4.splat(half - 1);
  const zero = i64x2.splat(0);
  const end = begin + group;

  let magnitudeA = zero;
  let magnitudeB = zero;
  let extremeA = zero;
  let extremeB = zero;
  for (let i = begin; i < end; i += 16) {
    const xA = v128.load(SYMMETRIC_X + i);
    const absA = f32x4.abs(xA);
    const largerA = f32x4.gt(absA, magnitudeA);
    magnitudeA = v128.bitselect(absA, magnitudeA, largerA);
    extremeA = v128.bitselect(xA, extremeA, largerA);
    v128.store(WEIGHTED_X + i, f32x4.mul(v128.load(SYMMETRIC_WEIGHTS + i), xA));
    const xB = v128.load(SYMMETRIC_X + group + i);
    const absB = f32x4.abs(xB);
    const largerB = f32x4.gt(absB, magnitudeB);
    magnitudeB = v128.bitselect(absB, magnitudeB, largerB);
    extremeB = v128.bitselect(xB, extremeB, largerB);
    v128.store(WEIGHTED_X + group + i, f32x4.mul(v128.load(SYMMETRIC_WEIGHTS + group + i), xB));
  }

  let scaleA = zero;
  let scaleB = zero;
  let bestA = zero;
  let bestB = zero;
  let codeInverseA = zero;
  let codeInverseB = zero;
  // Round 0 is the obvious step size, which is taken as it comes; then −9…9 without 0.
  for (let round = 0; round < 19; round++) {
    const k = round == 0 ? 0 : round <= 9 ? round - 10 : round - 9;
    const numerator = f32x4.splat(-(half + <f32>0.1 * <f32>k));
    const inverseA = f32x4.div(numerator, extremeA);
    const inverseB = f32x4.div(numerator, extremeB);
    let sumXLA = zero;
    let sumXLB = zero;
    let sumL2A = zero;
    let sumL2B = zero;
    for (let i = begin; i < end; i += 16) {
      const codeA = nearestClamped(f32x4.mul(inverseA, v128.load(SYMMETRIC_X + i)), rounder, low, high);
      sumXLA = f32x4.add(sumXLA, f32x4.mul(v128.load(WEIGHTED_X + i), codeA));
      sumL2A = f32x4.add(sumL2A, f32x4.mul(f32x4.mul(v128.load(SYMMETRIC_WEIGHTS + i), codeA), codeA));
      const codeB = nearestClamped(f32x4.mul(inverseB, v128.load(SYMMETRIC_X + group + i)), rounder, low, high);
      sumXLB = f32x4.add(sumXLB, f32x4.mul(v128.load(WEIGHTED_X + group + i), codeB));
      sumL2B = f32x4.add(sumL2B, f32x4.mul(f32x4.mul(v128.load(SYMMETRIC_WEIGHTS + group + i), codeB), codeB));
    }
    let betterA = f32x4.ne(sumL2A, zero);
    let betterB = f32x4.ne(sumL2B, zero);
    if (round == 0) {
      codeInverseA = inverseA;
      codeInverseB = inverseB;
    } else {
      betterA = v128.and(f32x4.gt(sumL2A, zero), f32x4.gt(f32x4.mul(sumXLA, sumXLA), f32x4.mul(bestA, sumL2A)));
      betterB = v128.and(f32x4.gt(sumL2B, zero), f32x4.gt(f32x4.mul(sumXLB, sumXLB), f32x4.mul(bestB, sumL2B)));
    }
    const trialScaleA = f32x4.div(sumXLA, sumL2A);
    const trialScaleB = f32x4.div(sumXLB, sumL2B);
    scaleA = v128.bitselect(trialScaleA, scaleA, betterA);
    scaleB = v128.bitselect(trialScaleB, scaleB, betterB);
    bestA = v128.bitselect(f32x4.mul(trialScaleA, sumXLA), bestA, betterA);
    bestB = v128.bitselect(f32x4.mul(trialScaleB, sumXLB), bestB, betterB);
    codeInverseA = v128.bitselect(inverseA, codeInverseA, betterA);
    codeInverseB = v128.bitselect(inverseB, codeInverseB, betterB);
  }

  const aliveA = f32x4.ge(magnitudeA, f32x4.splat(GROUP_EPSILON));
  const aliveB = f32x4.ge(magnitudeB, f32x4.splat(GROUP_EPSILON));
  v128.store(SYMMETRIC_SCALE + out, v128.and(scaleA, aliveA));
  v128.store(SYMMETRIC_SCALE + out, v128.and(scaleB, aliveB), 16);
  v128.store(SYMMETRIC_CODE_INVERSE + out, v128.and(codeInverseA, aliveA));
  v128.store(SYMMETRIC_CODE_INVERSE + out, v128.and(codeInverseB, aliveB), 16);
}
