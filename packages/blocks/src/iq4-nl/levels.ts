// The sixteen levels of IQ4_NL and IQ4_XS (layout.ts): which is nearest, and which scale fits a group of weights best.
// Order and rounding of the arithmetic are those of ggml-quants.c quantize_row_iq4_nl_impl with 7 tries either way.
import { GROUP_EPSILON } from '../search/symmetric.ts';
import { signedExtreme } from '../signed-extreme.ts';
import { VALUES } from './layout.ts';

const { fround } = Math;
const TRIES = 7;

/** Between one level and the next; half of a whole number, so that comparing with it is exact. */
const MIDPOINTS = VALUES.slice(1).map((value, i) => (value + VALUES[i]) / 2);

/** Code of the level nearest to `x`, of two equally near ones the higher; the highest for NaN. */
export function nearestLevel(x: number): number {
  let code = 0;
  while (code < MIDPOINTS.length && !(x < MIDPOINTS[code])) code++;
  return code;
}

/**
 * The scale with which x ≈ scale · VALUES[q] fits best: step sizes around those that give the extreme weight the lowest
 * level, then the highest, are tried. `weights` says how much the squared error of each number counts.
 */
export function fitLevels(x: Float32Array, weights: Float32Array): number {
  const extreme = signedExtreme(x);
  if (Math.abs(extreme) < GROUP_EPSILON) return 0;
  const first = project(x, weights, fround(1 / fround(-extreme / VALUES[0])));
  let scale = first.sumQ2 > 0 ? fround(first.sumQX / first.sumQ2) : 0;
  let best = fround(scale * first.sumQX);
  for (let k = -TRIES; k <= TRIES; k++) {
    const { sumQX, sumQ2 } = project(x, weights, fround((k + VALUES[0]) / extreme));
    if (sumQ2 > 0 && fround(sumQX * sumQX) > fround(best * sumQ2)) {
      scale = fround(sumQX / sumQ2);
      best = fround(scale * sumQX);
    }
  }
  return scale;
}

/** Σ w·q·x and Σ w·q², where q are the levels nearest to inverse · x. */
function project(x: Float32Array, weights: Float32Array, inverse: number): { sumQX: number; sumQ2: number } {
  let sumQX = 0;
  let sumQ2 = 0;
  for (let i = 0; i < x.length; i++) {
    const q = VALUES[nearestLevel(fround(inverse * x[i]))];
    const wq = fround(weights[i] * q);
    sumQX = fround(sumQX + fround(wq * x[i]));
    sumQ2 = fround(sumQ2 + fround(wq * q));
  }
  return { sumQX, sumQ2 };
}

/** How much errors count without importance. */
export const squares = (x: Float32Array): Float32Array => x.map((value) => value * value);

/** Sixteen bytes of two codes each, of 32 weights. */
export function packNibbles(codes: Uint8Array, bytes: Uint8Array, at: number): void {
  for (let j = 0; j < 16; j++) bytes[at + j] = codes[j] | (codes[j + 16] << 4);
}
