// The FP4 number nearest to a weight, for MXFP4 and NVFP4.
import { VALUES } from './layout.ts';

const { fround } = Math;

/** Code q for which VALUES[q] · scale is nearest to `x`, of several equally near ones the lowest (ggml-quants.c best_index_mxfp4). */
export function nearestFp4(x: number, scale: number): number {
  let best = 0;
  let bestError = Number.POSITIVE_INFINITY;
  for (let q = 0; q < VALUES.length; q++) {
    const error = Math.abs(fround(fround(VALUES[q] * scale) - x));
    if (error < bestError) {
      best = q;
      bestError = error;
    }
  }
  return best;
}
