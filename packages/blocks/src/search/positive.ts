// The search that stores the scales and minima of a block under importance: x ≈ scale · q, q in 0…maxCode, x not negative.
// The best of a few step sizes around the obvious one, then codes are moved one at a time as long as the fit gets better.
// Order and rounding of the arithmetic are those of ggml-quants.c make_qp_quants.
import { nearestInt } from '../rounding.ts';
import { GROUP_EPSILON } from './symmetric.ts';

const { fround } = Math;
const ROUNDS = 5;

/**
 * Fits `x`, writes its codes into `codes`, returns the scale. `weights` says how much the squared error of each number
 * counts. Where rounding errors of an earlier search made an x negative, its code is that of a C uint8_t.
 */
export function fitPositive(x: Float32Array, weights: Float32Array, codes: Uint8Array, maxCode: number): number {
  const max = x.reduce((largest, value) => (largest > value ? largest : value), 0);
  if (max < GROUP_EPSILON) {
    codes.fill(0);
    return 0;
  }
  const inverse = bestInverse(x, weights, max, maxCode);
  let sumXL = 0;
  let sumL2 = 0;
  for (let i = 0; i < x.length; i++) {
    const l = Math.min(maxCode, nearestInt(fround(inverse * x[i])));
    codes[i] = l;
    sumXL = fround(sumXL + projection(weights[i], x[i], l));
    sumL2 = fround(sumL2 + projection(weights[i], l, l));
  }
  for (let round = 0, changed = true; changed && round < ROUNDS; round++) {
    changed = false;
    for (let i = 0; i < x.length; i++) {
      const w = weights[i];
      let xl = fround(sumXL - projection(w, x[i], codes[i]));
      let l2 = fround(sumL2 - projection(w, codes[i], codes[i]));
      if (!(xl > 0 && l2 > 0)) continue;
      const l = Math.min(maxCode, nearestInt(fround(fround(x[i] * l2) / xl)));
      if (l === codes[i]) continue;
      xl = fround(xl + projection(w, x[i], l));
      l2 = fround(l2 + projection(w, l, l));
      if (fround(fround(xl * xl) * sumL2) > fround(fround(sumXL * sumXL) * l2)) {
        codes[i] = l;
        sumXL = xl;
        sumL2 = l2;
        changed = true;
      }
    }
  }
  return sumL2 > 0 ? fround(sumXL / sumL2) : 0;
}

/** w · a · l in this order. */
const projection = (w: number, a: number, l: number): number => fround(fround(w * a) * l);

/** Of the step sizes (maxCode + k/10) / max the one with the least error. */
function bestInverse(x: Float32Array, weights: Float32Array, max: number, maxCode: number): number {
  let best = fround(maxCode / max);
  let bestError = squaredError(x, weights, best, (l) => l & 255);
  for (let k = -4; k <= 4; k++) {
    if (k === 0) continue;
    const inverse = fround(fround(fround(fround(0.1) * k) + maxCode) / max);
    const error = squaredError(x, weights, inverse, (l) => Math.min(maxCode, l));
    if (error < bestError) {
      best = inverse;
      bestError = error;
    }
  }
  return best;
}

function squaredError(x: Float32Array, weights: Float32Array, inverse: number, limit: (l: number) => number): number {
  const scale = fround(1 / inverse);
  let error = 0;
  for (let i = 0; i < x.length; i++) {
    const difference = fround(x[i] - fround(scale * limit(nearestInt(fround(inverse * x[i])))));
    error = fround(error + projection(weights[i], difference, difference));
  }
  return error;
}
