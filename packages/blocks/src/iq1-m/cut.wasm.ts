// cut.ts: all ways to cut 16 sorted weights into three runs, four at a time. Only the few that beat the best so far are looked
// at one by one, in ggml's order; beginning with the score of a guess keeps those few.
import { guessCut, guessHigh, guessLow, ORDER, scoreBelow, scoreOf, sortAscending } from '../search/three-levels.wasm';

/** Output of findCut; `cutLow` is −1 where no cut has errors that count. */
export let cutLow: i32 = -1;
export let cutHigh: i32 = -1;
export let cutScale: f32 = 0;
/** Bit 1 is set where the first half is shifted down, bit 0 where the second is. */
export let cutShifts: i32 = 0;

/** Sums of w · x and of w up to each place, by half; 17 floats and room for three more. */
const SUM_X0 = memory.data(80, 16);
const SUM_X1 = memory.data(80, 16);
const SUM_W0 = memory.data(80, 16);
const SUM_W1 = memory.data(80, 16);
/** Σ w·q·x, then Σ w·q², of four cuts for each of the four shifts. */
const TRIED_X = memory.data(64, 16);
const TRIED_W = memory.data(64, 16);

let bestScore: f32 = 0;

/** Finds the best cut of 16 weights at `x`, of which those at `weights` say how much errors count. */
export function findCut(x: usize, weights: usize): void {
  sortAscending(x, 16);
  prepareSums(x, weights);
  cutLow = -1;
  guessCut(x, 16);
  bestScore = scoreBelow(max(scoreNear(guessLow, guessHigh), scoreNear(guessLow, guessHigh + 1)));
  const x0 = load<f32>(SUM_X0, 64);
  const x1 = load<f32>(SUM_X1, 64);
  const w0 = load<f32>(SUM_W0, 64);
  const w1 = load<f32>(SUM_W1, 64);
  // Beyond the last place nothing may ever be better.
  for (let place: usize = 68; place < 80; place += 4) store<f32>(SUM_W0 + place, NaN);
  const allX0Up = f32x4.splat(x0 * <f32>1.125);
  const allX0Down = f32x4.splat(x0 * <f32>0.875);
  const allX1Up = f32x4.splat(x1 * <f32>1.125);
  const allX1Down = f32x4.splat(x1 * <f32>0.875);
  for (let low: i32 = 0; low <= 16; low++) {
    const lowX0 = v128.load32_splat(SUM_X0 + 4 * low);
    const lowX1 = v128.load32_splat(SUM_X1 + 4 * low);
    const lowW0 = load<f32>(SUM_W0 + 4 * low);
    const lowW1 = load<f32>(SUM_W1 + 4 * low);
    const lowW0Up = f32x4.splat(w0 * <f32>1.125 * <f32>1.125 + lowW0 * <f32>0.75);
    const lowW0Down = f32x4.splat(w0 * <f32>0.875 * <f32>0.875 + lowW0 * <f32>1.25);
    const lowW1Up = f32x4.splat(w1 * <f32>1.125 * <f32>1.125 + lowW1 * <f32>0.75);
    const lowW1Down = f32x4.splat(w1 * <f32>0.875 * <f32>0.875 + lowW1 * <f32>1.25);
    for (let high = low; high <= 16; high += 4) {
      const at: usize = 4 * <usize>high;
      const cutX0 = f32x4.add(lowX0, v128.load(SUM_X0 + at));
      const cutX1 = f32x4.add(lowX1, v128.load(SUM_X1 + at));
      const xUp0 = f32x4.sub(allX0Up, cutX0);
      const xDown0 = f32x4.sub(allX0Down, cutX0);
      const xUp1 = f32x4.sub(allX1Up, cutX1);
      const xDown1 = f32x4.sub(allX1Down, cutX1);
      const highW0 = v128.load(SUM_W0 + at);
      const highW1 = v128.load(SUM_W1 + at);
      const wUp0 = f32x4.add(lowW0Up, f32x4.mul(highW0, f32x4.splat(-1.25)));
      const wDown0 = f32x4.add(lowW0Down, f32x4.mul(highW0, f32x4.splat(-0.75)));
      const wUp1 = f32x4.add(lowW1Up, f32x4.mul(highW1, f32x4.splat(-1.25)));
      const wDown1 = f32x4.add(lowW1Down, f32x4.mul(highW1, f32x4.splat(-0.75)));
      const best = f32x4.splat(bestScore);
      // A byte per cut and shifts, in ggml's order: all shifts of a cut, then the next cut.
      const better01 = v128.or(
        v128.and(tried(0, f32x4.add(xUp0, xUp1), f32x4.add(wUp0, wUp1), best), i32x4.splat(0x000000ff)),
        v128.and(tried(16, f32x4.add(xUp0, xDown1), f32x4.add(wUp0, wDown1), best), i32x4.splat(0x0000ff00)),
      );
      const better23 = v128.or(
        v128.and(tried(32, f32x4.add(xDown0, xUp1), f32x4.add(wDown0, wUp1), best), i32x4.splat(0x00ff0000)),
        v128.and(tried(48, f32x4.add(xDown0, xDown1), f32x4.add(wDown0, wDown1), best), i32x4.splat(0xff000000)),
      );
      let better = <u32>i8x16.bitmask(v128.or(better01, better23));
      for (; better; better &= better - 1) {
        const index = <i32>ctz(better);
        tryCut(low, high + (index >> 2), 16 * (index & 3) + 4 * (index >> 2), index & 3);
      }
    }
  }
}

/** The score of a cut or a neighbour, whichever is better. */
function scoreNear(low: i32, high: i32): f32 {
  return max(score(max(0, low - 1), min(16, high)), max(score(low, min(16, high)), score(min(low + 1, high), min(16, high))));
}

/** The score of a cut, with the best of the shifts; sums are those of findCut, to the last bit. */
@inline
function score(low: i32, high: i32): f32 {
  const cutX0: f32 = load<f32>(SUM_X0 + 4 * low) + load<f32>(SUM_X0 + 4 * high);
  const cutX1: f32 = load<f32>(SUM_X1 + 4 * low) + load<f32>(SUM_X1 + 4 * high);
  const lowW0 = load<f32>(SUM_W0 + 4 * low);
  const lowW1 = load<f32>(SUM_W1 + 4 * low);
  const highW0 = load<f32>(SUM_W0 + 4 * high);
  const highW1 = load<f32>(SUM_W1 + 4 * high);
  const w0 = load<f32>(SUM_W0, 64);
  const w1 = load<f32>(SUM_W1, 64);
  const xUp0: f32 = load<f32>(SUM_X0, 64) * <f32>1.125 - cutX0;
  const xUp1: f32 = load<f32>(SUM_X1, 64) * <f32>1.125 - cutX1;
  const xDown0: f32 = load<f32>(SUM_X0, 64) * <f32>0.875 - cutX0;
  const xDown1: f32 = load<f32>(SUM_X1, 64) * <f32>0.875 - cutX1;
  const wUp0: f32 = w0 * <f32>1.125 * <f32>1.125 + lowW0 * <f32>0.75 + highW0 * <f32>-1.25;
  const wUp1: f32 = w1 * <f32>1.125 * <f32>1.125 + lowW1 * <f32>0.75 + highW1 * <f32>-1.25;
  const wDown0: f32 = w0 * <f32>0.875 * <f32>0.875 + lowW0 * <f32>1.25 + highW0 * <f32>-0.75;
  const wDown1: f32 = w1 * <f32>0.875 * <f32>0.875 + lowW1 * <f32>1.25 + highW1 * <f32>-0.75;
  return max(
    max(scoreOf(xUp0 + xUp1, wUp0 + wUp1), scoreOf(xUp0 + xDown1, wUp0 + wDown1)),
    max(scoreOf(xDown0 + xUp1, wDown0 + wUp1), scoreOf(xDown0 + xDown1, wDown0 + wDown1)),
  );
}

/** Which of four cuts beat the best; their sums are kept at `place`. */
@inline
function tried(place: usize, sumQX: v128, sumQ2: v128, best: v128): v128 {
  v128.store(TRIED_X + place, sumQX);
  v128.store(TRIED_W + place, sumQ2);
  return v128.and(f32x4.gt(sumQ2, i64x2.splat(0)), f32x4.gt(f32x4.mul(sumQX, sumQX), f32x4.mul(best, sumQ2)));
}

@inline
function tryCut(low: i32, high: i32, place: usize, shifts: i32): void {
  const sumQX = load<f32>(TRIED_X + place);
  const sumQ2 = load<f32>(TRIED_W + place);
  if (!(sumQ2 > 0 && sumQX * sumQX > bestScore * sumQ2)) return;
  cutScale = sumQX / sumQ2;
  bestScore = cutScale * sumQX;
  cutLow = low;
  cutHigh = high;
  cutShifts = shifts;
}

@inline
function prepareSums(x: usize, weights: usize): void {
  let x0: f32 = 0;
  let x1: f32 = 0;
  let w0: f32 = 0;
  let w1: f32 = 0;
  for (let place: usize = 0; place <= 64; place += 4) {
    store<f32>(SUM_X0 + place, x0);
    store<f32>(SUM_X1 + place, x1);
    store<f32>(SUM_W0 + place, w0);
    store<f32>(SUM_W1 + place, w1);
    if (place == 64) break;
    const i = load<u32>(ORDER + place);
    const w = load<f32>(weights + 4 * i);
    const wx: f32 = w * load<f32>(x + 4 * i);
    if (i < 8) {
      x0 += wx;
      w0 += w;
    } else {
      x1 += wx;
      w1 += w;
    }
  }
}
