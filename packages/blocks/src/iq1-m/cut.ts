// The best cut of the 16 weights of an IQ1_M sub-block into three runs (search/three-levels.ts), for both shifts in each half.
// Order and rounding of the arithmetic are those of ggml-quants.c quantize_row_iq1_m_impl, which uses that the levels are 1
// apart: of a half, Σ w·q·x = total · highest level − (sum up to one cut + sum up to the other).
import { ascending, type Cut, LEVELS_DOWN, LEVELS_UP, type Levels } from '../search/three-levels.ts';

const { fround } = Math;
const LARGEST_FLOAT = fround(3.4028234663852886e38);

export interface BestCut extends Cut {
  order: readonly number[];
  scale: number;
  /** Of the first and the second eight weights. */
  levels: readonly [Levels, Levels];
}

const LEVELS_OF_HALVES = [
  [LEVELS_UP, LEVELS_UP],
  [LEVELS_UP, LEVELS_DOWN],
  [LEVELS_DOWN, LEVELS_UP],
  [LEVELS_DOWN, LEVELS_DOWN],
] as const;

/** Undefined where no cut has errors that count. */
export function bestCut(x: Float32Array, weights: Float32Array): BestCut | undefined {
  const order = ascending(x);
  const count = x.length;
  const sumX = [0, 1].map(() => new Float32Array(count + 1));
  const sumW = [0, 1].map(() => new Float32Array(count + 1));
  for (const [place, i] of order.entries()) {
    for (const half of [0, 1]) {
      const mine = i >> 3 === half;
      sumX[half][place + 1] = sumX[half][place] + (mine ? fround(weights[i] * x[i]) : 0);
      sumW[half][place + 1] = sumW[half][place] + (mine ? weights[i] : 0);
    }
  }
  const qx = (half: number, low: number, high: number, levels: Levels) =>
    fround(fround(sumX[half][count] * levels[2]) - fround(sumX[half][low] + sumX[half][high]));
  const q2 = (half: number, low: number, high: number, [first, second, third]: Levels) => {
    const total = fround(fround(sumW[half][count] * third) * third);
    const below = fround(sumW[half][low] * (first * first - second * second));
    return fround(fround(total + below) + fround(sumW[half][high] * (second * second - third * third)));
  };
  let best: BestCut | undefined;
  let bestScore = -LARGEST_FLOAT;
  for (let low = 0; low <= count; low++) {
    for (let high = low; high <= count; high++) {
      for (const levels of LEVELS_OF_HALVES) {
        const sumQX = fround(qx(0, low, high, levels[0]) + qx(1, low, high, levels[1]));
        const sumQ2 = fround(q2(0, low, high, levels[0]) + q2(1, low, high, levels[1]));
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
