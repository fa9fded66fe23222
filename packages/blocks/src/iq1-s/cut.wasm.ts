// cut.ts: all ways to cut 32 sorted weights into three runs, four at a time. Only the few that beat the best so far are
// looked at one by one, in ggml's order; beginning with the score of a guess keeps those few.
import { guessCut, guessHigh, guessLow, ORDER, scoreBelow, scoreOf, sortAscending } from '../search/three-levels.wasm';

/** Output of findCut; `cutLow` is −1 where no cut has errors that count. */
export let cutLow: i32 = -1;
export let cutHigh: i32 = -1;
export let cutScale: f32 = 0;
export let cutDown: bool = false;

/** Sums of w · x and of w up to each place, 33 floats and room for three more. */
const SUM_X = memory.data(144, 16);
const SUM_W = memory.data(144, 16);
/** What the weights from a place on add with the highest level, shifted up and down. */
const TOP_X_UP = memory.data(144, 16);
const TOP_X_DOWN = memory.data(144, 16);
const TOP_W_UP = memory.data(144, 16);
const TOP_W_DOWN = memory.data(144, 16);
/** Σ w·q·x and Σ w·q² of four cuts, shifted up and down. */
const TRIED = memory.data(64, 16);

let bestScore: f32 = 0;

/** Finds the best cut of 32 weights at `x`, of which those at `weights` say how much errors count. */
export function findCut(x: usize, weights: usize): void {
  sortAscending(x, 32);
  prepareSums(x, weights);
  cutLow = -1;
  guessCut(x, 32);
  bestScore = scoreBelow(max(scoreNear(guessLow, guessHigh), scoreNear(guessLow, guessHigh + 1)));
  const zero = i64x2.splat(0);
  const eighth = f32x4.splat(0.125);
  for (let low: i32 = 0; low <= 32; low++) {
    const sumX = load<f32>(SUM_X + 4 * low);
    const sumW = load<f32>(SUM_W + 4 * low);
    const sumsX = f32x4.splat(sumX);
    const sumsW = f32x4.splat(sumW);
    const bottomXUp = f32x4.splat(sumX * <f32>-0.875);
    const bottomXDown = f32x4.splat(sumX * <f32>-1.125);
    const bottomWUp = f32x4.splat(sumW * <f32>-0.875 * <f32>-0.875);
    const bottomWDown = f32x4.splat(sumW * <f32>-1.125 * <f32>-1.125);
    for (let high = low; high <= 32; high += 4) {
      const at: usize = 4 * <usize>high;
      const middleX = f32x4.mul(f32x4.sub(v128.load(SUM_X + at), sumsX), eighth);
      const middleW = f32x4.mul(f32x4.mul(f32x4.sub(v128.load(SUM_W + at), sumsW), eighth), eighth);
      const xUp = f32x4.add(f32x4.add(bottomXUp, middleX), v128.load(TOP_X_UP + at));
      const xDown = f32x4.add(f32x4.sub(bottomXDown, middleX), v128.load(TOP_X_DOWN + at));
      const wUp = f32x4.add(f32x4.add(bottomWUp, middleW), v128.load(TOP_W_UP + at));
      const wDown = f32x4.add(f32x4.add(bottomWDown, middleW), v128.load(TOP_W_DOWN + at));
      const best = f32x4.splat(bestScore);
      const upBetter = v128.and(f32x4.gt(wUp, zero), f32x4.gt(f32x4.mul(xUp, xUp), f32x4.mul(best, wUp)));
      const downBetter = v128.and(f32x4.gt(wDown, zero), f32x4.gt(f32x4.mul(xDown, xDown), f32x4.mul(best, wDown)));
      // A byte per cut and shift, in ggml's order: up and down of a cut, then the next cut.
      const both = v128.or(
        v128.and(upBetter, i32x4.splat(0x000000ff)),
        v128.and(downBetter, i32x4.splat(0x0000ff00)),
      );
      let better = <u32>i8x16.bitmask(both);
      if (!better) continue;
      v128.store(TRIED, xUp);
      v128.store(TRIED, wUp, 16);
      v128.store(TRIED, xDown, 32);
      v128.store(TRIED, wDown, 48);
      for (; better; better &= better - 1) {
        const index = <i32>ctz(better);
        tryCut(low, high + (index >> 2), TRIED + 32 * (index & 1) + 4 * (index >> 2), (index & 1) == 1);
      }
    }
  }
}

/** The score of a cut or a neighbour, whichever is better. */
function scoreNear(low: i32, high: i32): f32 {
  return max(score(max(0, low - 1), min(32, high)), max(score(low, min(32, high)), score(min(low + 1, high), min(32, high))));
}

/** The score of a cut, with the better of both shifts; sums are those of findCut, to the last bit. */
@inline
function score(low: i32, high: i32): f32 {
  const bottomX = load<f32>(SUM_X + 4 * low);
  const bottomW = load<f32>(SUM_W + 4 * low);
  const middleX: f32 = load<f32>(SUM_X + 4 * high) - bottomX;
  const middleW: f32 = load<f32>(SUM_W + 4 * high) - bottomW;
  const topX: f32 = load<f32>(SUM_X, 128) - load<f32>(SUM_X + 4 * high);
  const topW: f32 = load<f32>(SUM_W, 128) - load<f32>(SUM_W + 4 * high);
  const xUp: f32 = bottomX * <f32>-0.875 + middleX * <f32>0.125 + topX * <f32>1.125;
  const xDown: f32 = bottomX * <f32>-1.125 - middleX * <f32>0.125 + topX * <f32>0.875;
  const middle: f32 = middleW * <f32>0.125 * <f32>0.125;
  const wUp: f32 = bottomW * <f32>-0.875 * <f32>-0.875 + middle + topW * <f32>1.125 * <f32>1.125;
  const wDown: f32 = bottomW * <f32>-1.125 * <f32>-1.125 + middle + topW * <f32>0.875 * <f32>0.875;
  return max(scoreOf(xUp, wUp), scoreOf(xDown, wDown));
}

@inline
function tryCut(low: i32, high: i32, sums: usize, down: bool): void {
  const sumQX = load<f32>(sums);
  const sumQ2 = load<f32>(sums, 16);
  if (!(sumQ2 > 0 && sumQX * sumQX > bestScore * sumQ2)) return;
  cutScale = sumQX / sumQ2;
  bestScore = cutScale * sumQX;
  cutLow = low;
  cutHigh = high;
  cutDown = down;
}

@inline
function prepareSums(x: usize, weights: usize): void {
  let sumX: f32 = 0;
  let sumW: f32 = 0;
  for (let place: usize = 0; place < 128; place += 4) {
    store<f32>(SUM_X + place, sumX);
    store<f32>(SUM_W + place, sumW);
    const i: usize = 4 * <usize>load<u32>(ORDER + place);
    const w = load<f32>(weights + i);
    sumX += w * load<f32>(x + i);
    sumW += w;
  }
  store<f32>(SUM_X, sumX, 128);
  store<f32>(SUM_W, sumW, 128);
  for (let place: usize = 0; place < 144; place += 16) {
    const restX = f32x4.sub(f32x4.splat(sumX), v128.load(SUM_X + place));
    const restW = f32x4.sub(f32x4.splat(sumW), v128.load(SUM_W + place));
    const up = f32x4.splat(1.125);
    const down = f32x4.splat(0.875);
    v128.store(TOP_X_UP + place, f32x4.mul(restX, up));
    v128.store(TOP_X_DOWN + place, f32x4.mul(restX, down));
    v128.store(TOP_W_UP + place, f32x4.mul(f32x4.mul(restW, up), up));
    v128.store(TOP_W_DOWN + place, f32x4.mul(f32x4.mul(restW, down), down));
  }
  // Beyond the last place nothing may ever be better.
  for (let place: usize = 132; place < 144; place += 4) {
    store<f32>(TOP_W_UP + place, NaN);
    store<f32>(TOP_W_DOWN + place, NaN);
  }
}
