// The search of Q3_K without importance: x ≈ scale · q, q in −half…half − 1, errors weighted by x². From the obvious step
// size (the extreme value gets −half), codes are moved one at a time as long as the fit gets better.
// Order and rounding of the arithmetic are those of ggml-quants.c make_q3_quants.
import { clamp, nearestInt } from '../rounding.ts';
import { signedExtreme } from '../signed-extreme.ts';
import { GROUP_EPSILON } from './symmetric.ts';

const { fround } = Math;
const ROUNDS = 5;

/** Fits `x`, writes q + half into `codes` (0 throughout for a group that counts as zero), returns the scale. */
export function fitMoving(x: Float32Array, codes: Uint8Array, half: number): number {
  const extreme = signedExtreme(x);
  if (Math.abs(extreme) < GROUP_EPSILON) {
    codes.fill(0);
    return 0;
  }
  const inverse = fround(-half / extreme);
  const signed = Int8Array.from(x, (value) => clamp(nearestInt(fround(inverse * value)), -half, half - 1));
  let sumXL = 0;
  let sumL2 = 0;
  for (let i = 0; i < x.length; i++) {
    const w = fround(x[i] * x[i]);
    sumXL = fround(sumXL + projection(w, x[i], signed[i]));
    sumL2 = fround(sumL2 + projection(w, signed[i], signed[i]));
  }
  for (let round = 0, changed = true; changed && round < ROUNDS; round++) {
    changed = false;
    for (let i = 0; i < x.length; i++) {
      const w = fround(x[i] * x[i]);
      let xl = fround(sumXL - projection(w, x[i], signed[i]));
      if (!(xl > 0)) continue;
      let l2 = fround(sumL2 - projection(w, signed[i], signed[i]));
      const l = clamp(nearestInt(fround(fround(x[i] * l2) / xl)), -half, half - 1);
      if (l === signed[i]) continue;
      xl = fround(xl + projection(w, x[i], l));
      l2 = fround(l2 + projection(w, l, l));
      if (l2 > 0 && fround(fround(xl * xl) * sumL2) > fround(fround(sumXL * sumXL) * l2)) {
        signed[i] = l;
        sumXL = xl;
        sumL2 = l2;
        changed = true;
      }
    }
  }
  for (const [i, l] of signed.entries()) codes[i] = half + l;
  return sumL2 > 0 ? fround(sumXL / sumL2) : 0;
}

/** w · a · l in this order. */
const projection = (w: number, a: number, l: number): number => fround(fround(w * a) * l);
