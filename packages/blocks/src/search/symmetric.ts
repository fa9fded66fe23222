// The search behind the types without a minimum (Q6_K; with importance Q3_K, Q4_0 and Q5_0 too): x ≈ scale · q,
// q in −half…half − 1.
// Step sizes around the obvious one (the extreme value gets −half) are tried; for each, scale is the least-squares fit.
// Order and rounding of the arithmetic are those of ggml-quants.c make_qx_quants with rmse_type 1.
import { clamp, nearestInt } from '../rounding.ts';

const { fround } = Math;

/** Groups of smaller magnitude count as zero (ggml-quants.c GROUP_MAX_EPS). */
export const GROUP_EPSILON = fround(1e-15);

/**
 * Fits `x`, writes q + half into `codes` (0 throughout for a group that counts as zero), returns the scale.
 * `weights` says how much the squared error of each number counts.
 */
export function fitSymmetric(x: Float32Array, weights: Float32Array, codes: Uint8Array, half: number): number {
  let magnitude = 0;
  let extreme = 0;
  for (const value of x) {
    if (Math.abs(value) > magnitude) {
      magnitude = Math.abs(value);
      extreme = value;
    }
  }
  if (magnitude < GROUP_EPSILON) {
    codes.fill(0);
    return 0;
  }
  const inverse = fround(-half / extreme);
  const { sumXL, sumL2 } = project(x, weights, inverse, half);
  codeAll(x, codes, inverse, half);
  let scale = sumL2 !== 0 ? fround(sumXL / sumL2) : 0; // NaN when the weights overflow, as in C
  let best = fround(scale * sumXL);
  for (let k = -9; k <= 9; k++) {
    if (k === 0) continue;
    const trial = fround(-fround(half + fround(fround(0.1) * k)) / extreme);
    const sums = project(x, weights, trial, half);
    if (sums.sumL2 > 0 && fround(sums.sumXL * sums.sumXL) > fround(best * sums.sumL2)) {
      codeAll(x, codes, trial, half);
      scale = fround(sums.sumXL / sums.sumL2);
      best = fround(scale * sums.sumXL);
    }
  }
  return scale;
}

const code = (value: number, half: number) => clamp(nearestInt(value), -half, half - 1);

function codeAll(x: Float32Array, codes: Uint8Array, inverse: number, half: number): void {
  for (let i = 0; i < x.length; i++) codes[i] = half + code(fround(inverse * x[i]), half);
}

/** Σ w·x·q and Σ w·q². */
function project(x: Float32Array, weights: Float32Array, inverse: number, half: number) {
  let sumXL = 0;
  let sumL2 = 0;
  for (const [i, value] of x.entries()) {
    const l = code(fround(inverse * value), half);
    const w = weights[i];
    sumXL = fround(sumXL + fround(fround(w * value) * l));
    sumL2 = fround(sumL2 + fround(fround(w * l) * l));
  }
  return { sumXL, sumL2 };
}
