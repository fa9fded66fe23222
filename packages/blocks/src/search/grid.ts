// The search of the IQ2 and IQ3 types: x ≈ ±scale · (2 q + 1), where the codes q of eight or four neighbours are a point of a
// grid. Signs are set aside; step sizes around the obvious one are tried, and for each the codes are rounded and, where that
// is no point, replaced by the point around it with the least error. The scale is the least-squares fit.
// Order and rounding of the arithmetic are those of ggml-quants.c quantize_row_iq2_xs_impl and its siblings.
import { codeAt, type Grid } from '../grids/grid.ts';
import { clamp, nearestInt } from '../rounding.ts';
import { fitPositive } from './positive.ts';

const { fround } = Math;
const LARGEST_FLOAT = fround(3.4028234663852886e38);

export interface GridSearch {
  readonly grid: Grid;
  readonly maxCode: number;
  /** Steps are (2 maxCode + 1 + k · step) / max for k from −tries to tries. */
  readonly tries: number;
  readonly step: number;
  /** Groups whose largest magnitude is less count as zero. */
  readonly epsilon: number;
  /** Whether the number of negative signs of eight weights must be even (grids/signs.ts). */
  readonly evenSigns: boolean;
  /** Whether the obvious step is that of a search without grid (positive.ts), instead of the largest magnitude's. */
  readonly fromPositive?: boolean;
  /**
   * Which codes are rounded anew with the best scale found: those that were no points, all when some were none, or all in
   * any case.
   */
  readonly again: 'off-grid' | 'all-if-off-grid' | 'all';
}

export interface GridFit {
  /** 0 for a group that counts as zero, else not negative. */
  scale: number;
  /** Ranks of the points, one per `grid.codes` weights. */
  ranks: Uint16Array;
  /** Eight sign bits per eight weights. */
  signs: Uint8Array;
}

/**
 * Fits `x`, of which `weights` says how much the squared error of each number counts. Undefined where ggml ends the program:
 * errors that are not finite leave it without a point or a scale.
 */
export function fitGrid(x: Float32Array, weights: Float32Array, search: GridSearch): GridFit | undefined {
  const { grid, maxCode } = search;
  const { magnitudes, signs } = splitSigns(x, weights, search.evenSigns);
  const groups = x.length / grid.codes;
  const zero = { scale: 0, ranks: new Uint16Array(groups), signs: new Uint8Array(signs.length) };
  let max = magnitudes.reduce((largest, value) => (largest > value ? largest : value));
  if (max < search.epsilon) return zero;
  let scale = fround(max / (2 * maxCode + 1));
  if (search.fromPositive) {
    scale = fitPositive(magnitudes, weights, new Uint8Array(x.length), maxCode + 2);
    max = fround(scale * (maxCode + 1));
    if (max <= 0) return zero;
  }

  const roots = weights.map(Math.sqrt);
  const ranks = new Uint16Array(groups);
  const onGrid = new Uint8Array(groups).fill(search.again === 'off-grid' ? 1 : 0);
  const trial = { ranks: new Uint16Array(groups), onGrid: new Uint8Array(groups) };
  let best = 0;
  for (let k = -search.tries; k <= search.tries; k++) {
    const inverse = fround(fround(2 * maxCode + 1 + fround(k * search.step)) / max);
    for (let g = 0; g < groups; g++) {
      if (!placeOnGrid(magnitudes, roots, g, inverse, fround(1 / inverse), search, trial)) return undefined;
    }
    const { sumQX, sumQ2 } = project(magnitudes, weights, trial.ranks, grid);
    if (sumQ2 > 0 && fround(sumQX * sumQX) > fround(best * sumQ2)) {
      scale = fround(sumQX / sumQ2);
      best = fround(scale * sumQX);
      ranks.set(trial.ranks);
      onGrid.set(trial.onGrid);
    }
  }

  if (scale > 0 && (search.again === 'all' || onGrid.includes(0))) {
    const final = { ranks, onGrid: new Uint8Array(groups) };
    for (let g = 0; g < groups; g++) {
      if (search.again === 'off-grid' && onGrid[g]) continue;
      if (!placeOnGrid(magnitudes, roots, g, fround(1 / scale), scale, search, final)) return undefined;
    }
    const { sumQX, sumQ2 } = project(magnitudes, weights, ranks, grid);
    if (sumQ2 > 0) scale = fround(sumQX / sumQ2);
  }
  if (Number.isNaN(scale)) return undefined;
  return scale < 0 ? { scale: -scale, ranks, signs: signs.map((bits) => ~bits) } : { scale, ranks, signs };
}

/**
 * Magnitudes and sign bits. Where the number of signs must be even and is not, the weight whose sign matters least gets the
 * wrong one: its magnitude is negative then.
 */
function splitSigns(x: Float32Array, weights: Float32Array, even: boolean) {
  const magnitudes = x.map((value) => (value >= 0 ? value : -value));
  const signs = new Uint8Array(x.length / 8);
  for (let k = 0; k < signs.length; k++) {
    let negatives = 0;
    let least = 8 * k;
    const cost = (i: number) => fround(fround(weights[i] * x[i]) * x[i]);
    for (let i = 8 * k; i < 8 * k + 8; i++) {
      if (!(x[i] >= 0)) {
        signs[k] |= 1 << (i & 7);
        negatives++;
      }
      if (cost(i) < cost(least)) least = i;
    }
    if (even && negatives % 2) {
      signs[k] ^= 1 << (least & 7);
      magnitudes[least] = -magnitudes[least];
    }
  }
  return { magnitudes, signs };
}

/** Finds the point of group `g` for one step size; false when no error is finite. `roots` are those of the weights. */
function placeOnGrid(
  x: Float32Array,
  roots: Float32Array,
  g: number,
  inverse: number,
  scale: number,
  { grid, maxCode }: GridSearch,
  into: { ranks: Uint16Array; onGrid: Uint8Array },
): boolean {
  const first = g * grid.codes;
  let vector = 0;
  for (let i = 0; i < grid.codes; i++) {
    const code = clamp(nearestInt(0.5 * fround(fround(inverse * x[first + i]) - 1)), 0, maxCode);
    vector |= code << (grid.fieldBits * i);
  }
  let rank = grid.rankOf(vector);
  into.onGrid[g] = rank < 0 ? 0 : 1;
  let leastError = LARGEST_FLOAT;
  if (rank < 0) {
    for (const neighbour of grid.neighboursOf(vector)) {
      let error = 0;
      for (let i = 0; i < grid.codes; i++) {
        const q = 2 * codeAt(grid, grid.points[neighbour], i) + 1;
        const difference = fround(fround(scale * q) - x[first + i]);
        error = fround(error + fround(fround(roots[first + i] * difference) * difference));
      }
      if (error < leastError) {
        leastError = error;
        rank = neighbour;
      }
    }
  }
  into.ranks[g] = rank;
  return rank >= 0;
}

/** Σ w·x·q and Σ w·q², where q are the odd numbers that the codes stand for. */
function project(x: Float32Array, weights: Float32Array, ranks: Uint16Array, grid: Grid) {
  let sumQX = 0;
  let sumQ2 = 0;
  for (let i = 0; i < x.length; i++) {
    const q = 2 * codeAt(grid, grid.points[ranks[Math.floor(i / grid.codes)]], i % grid.codes) + 1;
    sumQX = fround(sumQX + fround(fround(weights[i] * x[i]) * q));
    sumQ2 = fround(sumQ2 + fround(fround(weights[i] * q) * q));
  }
  return { sumQX, sumQ2 };
}

/** All sub-blocks of `x` fitted; undefined where ggml ends the program on one of them. */
export function fitSubBlocks(x: Float32Array, weights: Float32Array, subWeights: number, search: GridSearch) {
  const fits: GridFit[] = [];
  for (let first = 0; first < x.length; first += subWeights) {
    const [sub, subErrors] = [x, weights].map((array) => array.subarray(first, first + subWeights));
    const fit = fitGrid(sub, subErrors, search);
    if (!fit) return undefined;
    fits.push(fit);
  }
  return { fits, scales: Float32Array.from(fits, (fit) => fit.scale) };
}
