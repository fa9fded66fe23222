// The search behind the types with a minimum (Q2_K, Q4_K, Q5_K; with importance Q4_1 and Q5_1 too): x ≈ scale · q + min,
// q in 0…maxCode, min ≤ 0.
// Step sizes around the obvious one are tried; for each, scale and min are the weighted least-squares fit to its codes.
// Order and rounding of the arithmetic are those of ggml-quants.c make_qkx2_quants and make_qkx3_quants (which agree for
// finite numbers), since sums of floats depend on them.
import { clamp, nearestInt } from '../rounding.ts';

const { fround } = Math;

/** Which step sizes to try: (first + step·k + maxCode) / (largest − smallest) for k = 0…steps. */
export interface AffineGrid {
  readonly maxCode: number;
  readonly first: number;
  readonly step: number;
  readonly steps: number;
  /** Errors count by their magnitude instead of their square. */
  readonly absolute?: boolean;
}

/** What ggml tries when there is importance; `maxCode` is the type's. */
export const weightedGrid = (maxCode: number): AffineGrid => ({
  maxCode,
  first: fround(-0.9),
  step: fround(0.05),
  steps: 36,
});

/** The fit; `min` comes negated, as it is stored (≥ 0). */
export interface AffineFit {
  scale: number;
  min: number;
}

/** Fits `x`, writes its codes into `codes`. `weights` says how much the error of each number counts. */
export function fitAffine(x: Float32Array, weights: Float32Array, codes: Uint8Array, grid: AffineGrid): AffineFit {
  const { maxCode, absolute } = grid;
  const { min: smallest, max, sumW, sumX } = summarize(x, weights);
  let min = Math.min(smallest, 0);
  if (max === min) {
    codes.fill(0);
    return { scale: 0, min: -min };
  }
  const inverse = fround(maxCode / fround(max - min));
  let scale = fround(1 / inverse);
  codeAll(x, codes, inverse, min, maxCode);
  let bestError = totalError(x, weights, codes, scale, min, absolute);

  const trial = new Uint8Array(codes.length);
  for (let k = 0; k <= grid.steps; k++) {
    const numerator = fround(fround(grid.first + fround(grid.step * k)) + maxCode);
    codeAll(x, trial, fround(numerator / fround(max - min)), min, maxCode);
    let sumL = 0;
    let sumL2 = 0;
    let sumXL = 0;
    for (let i = 0; i < x.length; i++) {
      const wl = fround(weights[i] * trial[i]);
      sumL = fround(sumL + wl);
      sumL2 = fround(sumL2 + fround(wl * trial[i]));
      sumXL = fround(sumXL + fround(wl * x[i]));
    }
    const determinant = fround(fround(sumW * sumL2) - fround(sumL * sumL));
    if (!(determinant > 0)) continue;
    let trialScale = fround(fround(fround(sumW * sumXL) - fround(sumX * sumL)) / determinant);
    let trialMin = fround(fround(fround(sumL2 * sumX) - fround(sumL * sumXL)) / determinant);
    if (trialMin > 0) {
      trialMin = 0;
      trialScale = fround(sumXL / sumL2);
    }
    const error = totalError(x, weights, trial, trialScale, trialMin, absolute);
    if (error < bestError) {
      codes.set(trial);
      bestError = error;
      scale = trialScale;
      min = trialMin; // later step sizes start from this one, so the trials cannot run side by side
    }
  }
  return { scale, min: -min };
}

function summarize(x: Float32Array, weights: Float32Array) {
  let min = x[0];
  let max = x[0];
  let sumW = weights[0];
  let sumX = fround(sumW * x[0]);
  for (let i = 1; i < x.length; i++) {
    if (x[i] < min) min = x[i];
    if (x[i] > max) max = x[i];
    sumW = fround(sumW + weights[i]);
    sumX = fround(sumX + fround(weights[i] * x[i]));
  }
  return { min, max, sumW, sumX };
}

function codeAll(x: Float32Array, codes: Uint8Array, inverse: number, min: number, maxCode: number): void {
  for (let i = 0; i < x.length; i++) {
    codes[i] = clamp(nearestInt(fround(inverse * fround(x[i] - min))), 0, maxCode);
  }
}

function totalError(
  x: Float32Array,
  weights: Float32Array,
  codes: Uint8Array,
  scale: number,
  min: number,
  absolute = false,
): number {
  let error = 0;
  for (let i = 0; i < x.length; i++) {
    const difference = fround(fround(fround(scale * codes[i]) + min) - x[i]);
    const size = absolute ? Math.abs(difference) : fround(difference * difference);
    error = fround(error + fround(weights[i] * size));
  }
  return error;
}
