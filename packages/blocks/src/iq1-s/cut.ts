// The best cut of the 32 weights of an IQ1_S sub-block into three runs (search/three-levels.ts), for both shifts.
// Order and rounding of the arithmetic are those of ggml-quants.c quantize_row_iq1_s_impl.
import { ascending, type Cut, LEVELS_DOWN, LEVELS_UP, type Levels } from '../search/three-levels.ts';

const { fround } = Math;
const LARGEST_FLOAT = fround(3.4028234663852886e38);

export interface BestCut extends Cut {
  order: readonly number[];
  scale: number;
  levels: Levels;
}

/** Undefined where no cut has errors that count. */
export function bestCut(x: Float32Array, weights: Float32Array): BestCut | undefined {
  const order = ascending(x);
  const count = x.length;
  const sumX = new Float32Array(count + 1);
  const sumW = new Float32Array(count + 1);
  for (const [place, i] of order.entries()) {
    sumX[place + 1] = sumX[place] + fround(weights[i] * x[i]);
    sumW[place + 1] = sumW[place] + weights[i];
  }
  let best: BestCut | undefined;
  let bestScore = -LARGEST_FLOAT;
  for (let low = 0; low <= count; low++) {
    for (let high = low; high <= count; high++) {
      for (const levels of [LEVELS_UP, LEVELS_DOWN]) {
        const runs = (sums: Float32Array) => [
          sums[low],
          fround(sums[high] - sums[low]),
          fround(sums[count] - sums[high]),
        ];
        const [x0, x1, x2] = runs(sumX).map((sum, run) => fround(sum * levels[run]));
        const [w0, w1, w2] = runs(sumW).map((sum, run) => fround(fround(sum * levels[run]) * levels[run]));
        const sumQX = fround(fround(x0 + x1) + x2);
        const sumQ2 = fround(fround(w0 + w1) + w2);
        if (sumQ2 > 0 && fround(sumQX * sumQX) > fround(bestScore * sumQ2)) {
          const scale = fround(sumQX / sumQ2);
          bestScore = fround(scale * sumQX);
          best = { order, low, high, scale, levels };
        }
      }
    }
  }
  return best;
}
