// What IQ1_S and IQ1_M share: weights become one of three levels, −1, 0 or 1, all shifted by +⅛ or −⅛; in ascending order
// the weights fall into three runs, so that all ways to cut them can be tried. Then the codes of each eight weights become a
// point of the grid. Order and rounding of the arithmetic are those of ggml-quants.c quantize_row_iq1_s_impl, …_iq1_m_impl.
import { codeAt, iq1Grid } from '../grids/grid.ts';

const { fround } = Math;
const LARGEST_FLOAT = fround(3.4028234663852886e38);

/** The levels of codes 0, 1, 2, shifted up and down. */
export const LEVELS_UP = [-0.875, 0.125, 1.125] as const;
export const LEVELS_DOWN = [-1.125, -0.125, 0.875] as const;
export type Levels = typeof LEVELS_UP | typeof LEVELS_DOWN;

/** A cut of the sorted weights: the first `low` get code 0, those from `high` on code 2. */
export interface Cut {
  low: number;
  high: number;
}

/** Indices of `x` in ascending order of value, equal ones in order. */
export const ascending = (x: Float32Array): number[] =>
  Array.from(x, (_, i) => i).sort((a, b) => (x[a] < x[b] ? -1 : x[a] > x[b] ? 1 : a - b));

/** The codes of a cut, by weight; `mirrored`, where the scale found is negative. */
export function codesOf(order: readonly number[], { low, high }: Cut, mirrored: boolean): Uint8Array {
  const codes = new Uint8Array(order.length);
  for (const [place, i] of order.entries()) {
    const code = place < low ? 0 : place < high ? 1 : 2;
    codes[i] = mirrored ? 2 - code : code;
  }
  return codes;
}

/**
 * Ranks of the points for the codes of each eight weights, of which `levels[k]` says what the codes stand for, and whether
 * all of the codes were points. Undefined where no error is finite: ggml reads beyond its arrays then, and mostly ends.
 */
export function placeCodes(
  x: Float32Array,
  weights: Float32Array,
  codes: Uint8Array,
  scale: number,
  levels: readonly Levels[],
): { ranks: Uint16Array; allOnGrid: boolean } | undefined {
  const ranks = new Uint16Array(codes.length / 8);
  let allOnGrid = true;
  for (let k = 0; k < ranks.length; k++) {
    const vector = codes.subarray(8 * k, 8 * k + 8).reduce((bits, code, i) => bits | (code << (2 * i)), 0);
    let rank = iq1Grid.rankOf(vector);
    if (rank < 0) {
      allOnGrid = false;
      let leastError = LARGEST_FLOAT;
      for (const neighbour of iq1Grid.neighboursOf(vector)) {
        let error = 0;
        for (let i = 0; i < 8; i++) {
          const q = levels[k][codeAt(iq1Grid, iq1Grid.points[neighbour], i)];
          const difference = fround(fround(scale * q) - x[8 * k + i]);
          error = fround(error + fround(fround(weights[8 * k + i] * difference) * difference));
        }
        if (error < leastError) {
          leastError = error;
          rank = neighbour;
        }
      }
      if (rank < 0) return undefined;
    }
    ranks[k] = rank;
  }
  return { ranks, allOnGrid };
}

/** Adds Σ w·q·x and Σ w·q² of the points `ranks` to `sums`; codes stand for `levels[k]` times `factor`. */
export function addProjection(
  sums: { sumQX: number; sumQ2: number },
  x: Float32Array,
  weights: Float32Array,
  ranks: Uint16Array,
  levels: readonly Levels[],
  factor = 1,
): void {
  for (let i = 0; i < x.length; i++) {
    const k = i >> 3;
    const q = fround(levels[k][codeAt(iq1Grid, iq1Grid.points[ranks[k]], i & 7)] * factor);
    const wq = fround(weights[i] * q);
    sums.sumQX = fround(sums.sumQX + fround(wq * x[i]));
    sums.sumQ2 = fround(sums.sumQ2 + fround(wq * q));
  }
}

/** The largest magnitude. */
export const largestMagnitude = (x: Float32Array): number =>
  x.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
