// The search of grid.ts on four sub-blocks at once, a lane per sub-block (transpose.wasm.ts); the points of a grid are found
// one after the other, for each group of eight or four weights of each sub-block.
import { lastError, nearestEight } from '../grids/nearest-eight.wasm';
import { nearestFour } from '../grids/nearest-four.wasm';
import { numberOfEight, ON_GRID } from '../grids/tables.wasm';
import { nearestInt4 } from '../rounding.wasm';
import { transpose4 } from '../transpose.wasm';
import { fitPositiveLanes, POSITIVE_UNITS, POSITIVE_WEIGHTS, POSITIVE_X } from './positive.wasm';

/** Input: how much errors count, of 4 × 16 or 4 × 32 weights one after the other. */
export const GRID_WEIGHTS = memory.data(512, 16);

/** Output: four scales; a scale is 0 where a sub-block counts as zero. */
export const GRID_SCALES = memory.data(16, 16);
/** Output: eight 32-bit ranks of points per sub-block. */
export const GRID_RANKS = memory.data(128, 16);
/** Output: four bytes of signs per sub-block. */
export const GRID_SIGNS = memory.data(16, 16);

/** GridSearch.again of grid.ts. */
export const AGAIN_OFF_GRID = 0;
export const AGAIN_ALL_IF_OFF_GRID = 1;
export const AGAIN_ALL = 2;

/** One after the other like the weights: magnitudes, and roots of how much errors count. */
const MAGNITUDES = memory.data(512, 16);
const ROOTS = memory.data(512, 16);
/** Transposed: magnitudes x, weights w, w · x, and the odd numbers q of the points tried. */
const X = memory.data(512, 16);
const W = memory.data(512, 16);
const WX = memory.data(512, 16);
const Q = memory.data(512, 16);
/** Per group of codes a vector: numbers of the vectors of codes (points.ts) and which of them were points when rounded. */
const TRIAL = memory.data(128, 16);
const TRIAL_ON_GRID = memory.data(128, 16);
const BEST = memory.data(128, 16);
const BEST_ON_GRID = memory.data(128, 16);
/** What the errors of the last points found were, each at the place of its first weight; a guess at the next ones. */
const ERRORS = memory.data(512, 16);
/** Scales of the four lanes while points are looked for. */
const LANE_SCALES = memory.data(16, 16);

const ONE = memory.data<f32>([1, 1, 1, 1], 16);
const HALF = memory.data<f32>([0.5, 0.5, 0.5, 0.5], 16);

/** Lanes in which ggml would have ended the program. */
let failed: i32 = 0;

/**
 * Fits 4 × `subWeights` weights at `src`, of which GRID_WEIGHTS says how much errors count. `table` is one of
 * tables.wasm.ts, for `codes` codes per point; the other arguments are those of GridSearch in grid.ts. False where ggml
 * ends the program.
 */
export function fitGrid4(
  src: usize,
  subWeights: usize,
  table: usize,
  codes: usize,
  tries: i32,
  step: f32,
  epsilon: f32,
  evenSigns: bool,
  fromPositive: bool,
  again: i32,
): bool {
  const zero = i64x2.splat(0);
  const end: usize = 16 * subWeights;
  const maxCode: i32 = codes == 8 ? 2 : 7;
  const groups = subWeights / codes;
  const odd = <f32>(maxCode * 2 + 1);
  splitSigns(src, subWeights, evenSigns);
  transpose4(MAGNITUDES, 4 * subWeights, subWeights, X);
  transpose4(GRID_WEIGHTS, 4 * subWeights, subWeights, W);

  let max = v128.load(X);
  for (let i: usize = 0; i < end; i += 16) {
    const x = v128.load(X + i);
    const w = v128.load(W + i);
    v128.store(ROOTS + i, f32x4.sqrt(v128.load(GRID_WEIGHTS + i)));
    v128.store(WX + i, f32x4.mul(w, x));
    max = f32x4.pmax(max, x);
  }
  let alive = v128.not(f32x4.lt(max, f32x4.splat(epsilon)));
  let scale = f32x4.div(max, f32x4.splat(odd));
  if (fromPositive) {
    memory.copy(POSITIVE_X, X, end);
    memory.copy(POSITIVE_WEIGHTS, W, end);
    fitPositiveLanes(subWeights, <f32>(maxCode + 2));
    scale = v128.load(POSITIVE_UNITS);
    max = f32x4.mul(scale, f32x4.splat(<f32>(maxCode + 1)));
    alive = v128.and(alive, v128.not(f32x4.le(max, zero)));
  }

  failed = 0;
  memory.fill(ERRORS, 0, 512);
  const lanes = i32x4.bitmask(alive);
  let best = zero;
  for (let g: usize = 0; g < 16 * groups; g += 16) {
    v128.store(BEST + g, zero);
    v128.store(BEST_ON_GRID + g, again == AGAIN_OFF_GRID ? i32x4.splat(-1) : zero);
  }
  for (let k = -tries; k <= tries; k++) {
    const inverse = f32x4.div(f32x4.splat(odd + <f32>k * step), max);
    v128.store(LANE_SCALES, f32x4.div(v128.load(ONE), inverse));
    for (let g: usize = 0; g < groups; g++) placeOnGrid(g, codes, table, subWeights, inverse, lanes);
    let sumQX = zero;
    let sumQ2 = zero;
    for (let i: usize = 0; i < end; i += 16) {
      const q = v128.load(Q + i);
      sumQX = f32x4.add(sumQX, f32x4.mul(v128.load(WX + i), q));
      sumQ2 = f32x4.add(sumQ2, f32x4.mul(f32x4.mul(v128.load(W + i), q), q));
    }
    const better = v128.and(f32x4.gt(sumQ2, zero), f32x4.gt(f32x4.mul(sumQX, sumQX), f32x4.mul(best, sumQ2)));
    if (!v128.any_true(better)) continue;
    const trial = f32x4.div(sumQX, sumQ2);
    scale = v128.bitselect(trial, scale, better);
    best = v128.bitselect(f32x4.mul(trial, sumQX), best, better);
    for (let g: usize = 0; g < 16 * groups; g += 16) {
      v128.store(BEST + g, v128.bitselect(v128.load(TRIAL + g), v128.load(BEST + g), better));
      v128.store(BEST_ON_GRID + g, v128.bitselect(v128.load(TRIAL_ON_GRID + g), v128.load(BEST_ON_GRID + g), better));
    }
  }

  let offGrid = again == AGAIN_ALL ? i32x4.splat(-1) : zero;
  for (let g: usize = 0; g < 16 * groups; g += 16) offGrid = v128.or(offGrid, v128.not(v128.load(BEST_ON_GRID + g)));
  const refit = v128.and(v128.and(offGrid, f32x4.gt(scale, zero)), alive);
  if (v128.any_true(refit)) scale = v128.bitselect(placeAgain(codes, table, subWeights, scale, refit, again), scale, refit);

  failed |= i32x4.bitmask(f32x4.ne(scale, scale)) & lanes;
  storeResult(table, groups, scale, alive);
  return (failed & lanes) == 0;
}

/** Rounds anew with the best scale in the lanes of `refit`; returns the scales that fit best then. */
function placeAgain(codes: usize, table: usize, subWeights: usize, scale: v128, refit: v128, again: i32): v128 {
  const zero = i64x2.splat(0);
  const groups = subWeights / codes;
  const inverse = f32x4.div(v128.load(ONE), scale);
  v128.store(LANE_SCALES, scale);
  for (let g: usize = 0; g < groups; g++) {
    const kept = again == AGAIN_OFF_GRID ? v128.load(BEST_ON_GRID + 16 * g) : zero;
    const lanes = v128.andnot(refit, kept);
    placeOnGrid(g, codes, table, subWeights, inverse, i32x4.bitmask(lanes));
    const trial = v128.bitselect(v128.load(TRIAL + 16 * g), v128.load(BEST + 16 * g), lanes);
    v128.store(BEST + 16 * g, trial);
    storeOdd(g, codes, trial);
  }
  let sumQX = zero;
  let sumQ2 = zero;
  for (let i: usize = 0; i < 16 * subWeights; i += 16) {
    const q = v128.load(Q + i);
    sumQX = f32x4.add(sumQX, f32x4.mul(v128.load(WX + i), q));
    sumQ2 = f32x4.add(sumQ2, f32x4.mul(f32x4.mul(v128.load(W + i), q), q));
  }
  return v128.bitselect(f32x4.div(sumQX, sumQ2), scale, f32x4.gt(sumQ2, zero));
}

/** The odd numbers of vectors of codes, given by their numbers, to group `g` of Q. */
function storeOdd(g: usize, codes: usize, numbers: v128): void {
  const one = i32x4.splat(1);
  let rest = numbers;
  for (let i: usize = 0; i < codes; i++) {
    let code = v128.and(rest, i32x4.splat(7));
    if (codes == 4) {
      rest = i32x4.shr_u(rest, 3);
    } else {
      // Numbers are below 6561: n · 21846 / 2^16 is n / 3.
      const third = i32x4.shr_u(i32x4.mul(rest, i32x4.splat(21846)), 16);
      code = i32x4.sub(rest, i32x4.add(third, i32x4.add(third, third)));
      rest = third;
    }
    v128.store(Q + 16 * (g * codes + i), f32x4.convert_i32x4_s(v128.or(i32x4.shl(code, 1), one)));
  }
}

/** Magnitudes and signs of four sub-blocks, as splitSigns of grid.ts. */
@inline
function splitSigns(src: usize, subWeights: usize, even: bool): void {
  const zero = i64x2.splat(0);
  const eights = subWeights >> 3;
  for (let k: usize = 0; k < 4 * eights; k++) {
    const at: usize = 32 * k;
    const a = v128.load(src + at);
    const b = v128.load(src + at, 16);
    const aPositive = f32x4.ge(a, zero);
    const bPositive = f32x4.ge(b, zero);
    v128.store(MAGNITUDES + at, v128.bitselect(a, f32x4.neg(a), aPositive));
    v128.store(MAGNITUDES + at, v128.bitselect(b, f32x4.neg(b), bPositive), 16);
    let signs = 255 ^ (i32x4.bitmask(aPositive) | (i32x4.bitmask(bPositive) << 4));
    if (even && popcnt(signs) & 1) {
      const least = cheapest(src + at, GRID_WEIGHTS + at);
      const place = MAGNITUDES + at + 4 * least;
      store<f32>(place, -load<f32>(place));
      signs ^= 1 << <i32>least;
    }
    store<u8>(GRID_SIGNS + 4 * (k / eights) + (k % eights), signs);
  }
}

/** Of eight weights the one whose wrong sign costs least. */
@inline
function cheapest(src: usize, weights: usize): usize {
  let least: usize = 0;
  let leastCost: f32 = load<f32>(weights) * load<f32>(src) * load<f32>(src);
  for (let i: usize = 1; i < 8; i++) {
    const x = load<f32>(src + 4 * i);
    const cost: f32 = load<f32>(weights + 4 * i) * x * x;
    if (cost < leastCost) {
      least = i;
      leastCost = cost;
    }
  }
  return least;
}

/** Rounds group `g` of all lanes; in `lanes`, what is no point becomes one. Fills TRIAL, TRIAL_ON_GRID and Q. */
@inline
function placeOnGrid(g: usize, codes: usize, table: usize, subWeights: usize, inverse: v128, lanes: i32): void {
  const first: usize = 16 * g * codes;
  v128.store(TRIAL + 16 * g, codes == 8 ? roundEight(first, inverse) : roundFour(first, inverse));
  v128.store(TRIAL_ON_GRID + 16 * g, i32x4.splat(-1));
  for (let lane: usize = 0; lane < 4; lane++) {
    if (!((lanes >> <i32>lane) & 1)) continue;
    const place = TRIAL + 16 * g + 4 * lane;
    const entry = load<u32>(table + 4 * load<u32>(place));
    if (entry & ON_GRID) continue;
    store<i32>(TRIAL_ON_GRID + 16 * g + 4 * lane, 0);
    const row: usize = 4 * (lane * subWeights + g * codes);
    const scale = load<f32>(LANE_SCALES + 4 * lane);
    const q = Q + first + 4 * lane;
    if (codes == 8) {
      const point = nearestEight(
        table,
        entry,
        MAGNITUDES + row,
        ROOTS + row,
        scale,
        scale * 3,
        scale * 5,
        load<f32>(ERRORS + row),
      );
      store<f32>(ERRORS + row, lastError);
      if (point < 0) {
        failed |= 1 << <i32>lane;
        continue;
      }
      store<u32>(place, numberOfEight(point));
      for (let i: u32 = 0; i < 8; i++) store<f32>(q + 16 * i, <f32>(((point >> (2 * i)) & 3) * 2 + 1));
    } else {
      const point = nearestFour(table, entry, MAGNITUDES + row, ROOTS + row, scale);
      if (!point) {
        failed |= 1 << <i32>lane;
        continue;
      }
      let number: u32 = 0;
      for (let i: u32 = 0; i < 4; i++) {
        const value = <u32>load<u8>(point + 4 * i);
        store<f32>(q + 16 * i, <f32>value);
        number |= (value >> 1) << (3 * i);
      }
      store<u32>(place, number);
    }
  }
}

/** Codes 0…2 of eight vectors from `first` on: their odd numbers to Q, the numbers they make up are returned. */
@inline
function roundEight(first: usize, inverse: v128): v128 {
  const one = i32x4.splat(1);
  const two = i32x4.splat(2);
  let number = i64x2.splat(0);
  for (let i: usize = 128; i > 0; ) {
    i -= 16;
    const code = roundedCode(first + i, inverse, two);
    v128.store(Q + first + i, f32x4.convert_i32x4_s(v128.or(i32x4.shl(code, 1), one)));
    number = i32x4.add(i32x4.add(number, number), i32x4.add(number, code));
  }
  return number;
}

/** Codes 0…7 of four vectors from `first` on, likewise. */
@inline
function roundFour(first: usize, inverse: v128): v128 {
  const one = i32x4.splat(1);
  const seven = i32x4.splat(7);
  let number = i64x2.splat(0);
  for (let i: usize = 64; i > 0; ) {
    i -= 16;
    const code = roundedCode(first + i, inverse, seven);
    v128.store(Q + first + i, f32x4.convert_i32x4_s(v128.or(i32x4.shl(code, 1), one)));
    number = v128.or(i32x4.shl(number, 3), code);
  }
  return number;
}

@inline
function roundedCode(at: usize, inverse: v128, largest: v128): v128 {
  const doubled = f32x4.sub(f32x4.mul(inverse, v128.load(X + at)), v128.load(ONE));
  return i32x4.max_s(i64x2.splat(0), i32x4.min_s(largest, nearestInt4(f32x4.mul(v128.load(HALF), doubled))));
}

/** Scales that are negative turn all signs over; lanes that are not alive are zeros. */
@inline
function storeResult(table: usize, groups: usize, scale: v128, alive: v128): void {
  const negative = i32x4.bitmask(f32x4.lt(scale, i64x2.splat(0)));
  const lanes = i32x4.bitmask(alive);
  v128.store(GRID_SCALES, v128.and(f32x4.abs(scale), alive));
  for (let lane: usize = 0; lane < 4; lane++) {
    const isAlive = (lanes >> <i32>lane) & 1;
    for (let g: usize = 0; g < groups; g++) {
      const entry = load<u32>(table + 4 * load<u32>(BEST + 16 * g + 4 * lane));
      store<u32>(GRID_RANKS + 32 * lane + 4 * g, isAlive ? entry & 0xffff : 0);
    }
    const signs = load<u32>(GRID_SIGNS + 4 * lane);
    store<u32>(GRID_SIGNS + 4 * lane, isAlive ? ((negative >> <i32>lane) & 1 ? ~signs : signs) : 0);
  }
}
