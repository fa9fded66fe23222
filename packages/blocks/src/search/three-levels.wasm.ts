// three-levels.ts for one sub-block: order, codes of a cut, points.
import { nearestEight } from '../grids/nearest-eight.wasm';
import { IQ1_POINTS } from '../grids/points.wasm';
import { buildEight, numberOfEight, ON_GRID } from '../grids/tables.wasm';
import { largestLane } from '../horizontal.wasm';

/** Indices of up to 32 weights in ascending order, 32 bits each. */
export const ORDER = memory.data(128, 16);

/** Output of placeCodes. */
export let allOnGrid: bool = true;

const LANES_BELOW = memory.data<i32>([0, 0, 0, 0, -1, 0, 0, 0, -1, -1, 0, 0, -1, -1, -1, 0], 16);

let table: usize = 0;

/** Fills ORDER: the place of a weight is the number of weights that are smaller, or equal and before it. */
export function sortAscending(src: usize, count: usize): void {
  for (let i: usize = 0; i < count; i++) {
    const x = v128.load32_splat(src + 4 * i);
    const own = i >> 2;
    let before = i64x2.splat(0);
    for (let v: usize = 0; v < own; v++) before = i32x4.sub(before, f32x4.le(v128.load(src + 16 * v), x));
    const mixed = v128.load(src + 16 * own);
    const equal = v128.and(f32x4.eq(mixed, x), v128.load(LANES_BELOW + 16 * (i & 3)));
    before = i32x4.sub(before, v128.or(f32x4.lt(mixed, x), equal));
    for (let v = own + 1; v < count >> 2; v++) before = i32x4.sub(before, f32x4.lt(v128.load(src + 16 * v), x));
    before = i32x4.add(before, v128.shuffle<i32>(before, before, 2, 3, 0, 1));
    const place = i32x4.extract_lane(before, 0) + i32x4.extract_lane(before, 1);
    store<u32>(ORDER + 4 * place, <u32>i);
  }
}

/**
 * Searches begin with a score that the best cut surely beats: that of a likely cut, less more than rounding could do. Cuts
 * below it are passed over, which changes nothing: the best cut beats whichever was the best before it.
 */
const SURELY_BELOW: f32 = 0.99999;

/** Output of guessCut: where normally distributed weights would best be cut. */
export let guessLow: i32 = 0;
export let guessHigh: i32 = 0;

/** Cuts at ± 0.76 of the mean magnitude. */
@inline
export function guessCut(src: usize, count: usize): void {
  let sum = i64x2.splat(0);
  for (let i: usize = 0; i < 4 * count; i += 16) sum = f32x4.add(sum, f32x4.abs(v128.load(src + i)));
  sum = f32x4.add(sum, v128.shuffle<f32>(sum, sum, 2, 3, 0, 1));
  sum = f32x4.add(sum, v128.shuffle<f32>(sum, sum, 1, 0, 3, 2));
  const border = f32x4.mul(sum, f32x4.splat(<f32>0.76 / <f32>count));
  guessLow = 0;
  guessHigh = 0;
  for (let i: usize = 0; i < 4 * count; i += 16) {
    const x = v128.load(src + i);
    guessLow += popcnt(i32x4.bitmask(f32x4.lt(x, f32x4.neg(border))));
    guessHigh += popcnt(i32x4.bitmask(f32x4.le(x, border)));
  }
}

/** The score of a cut, (Σ w·q·x)² / Σ w·q²; 0 where F32 is too coarse to tell its likes apart. */
@inline
export function scoreOf(sumQX: f32, sumQ2: f32): f32 {
  const square: f32 = sumQX * sumQX;
  const score: f32 = square / sumQ2;
  return isMiddling(square) && isMiddling(score) ? score : 0;
}

@inline
function isMiddling(value: f32): bool {
  return value > <f32>1e-25 && value < <f32>1e25;
}

/** The score to begin with when the guess has `score`. */
@inline
export function scoreBelow(score: f32): f32 {
  return score > 0 ? score * SURELY_BELOW : <f32>-3.4028234663852886e38;
}

/** The codes of a cut, a byte per weight, to `codes`. */
@inline
export function storeCodes(codes: usize, count: u32, low: u32, high: u32, mirrored: bool): void {
  for (let place: u32 = 0; place < count; place++) {
    const code: u32 = place < low ? 0 : place < high ? 1 : 2;
    store<u8>(codes + load<u32>(ORDER + 4 * place), mirrored ? 2 - code : code);
  }
}

/** ±⅛, the level of code 1. */
@inline
export function shiftOf(down: bool): f32 {
  return down ? -0.125 : 0.125;
}

/**
 * The rank of the point for eight codes at `codes`, which become those of the point; −1 where no error is finite. Clears
 * allOnGrid where the codes were no point.
 */
export function placeCodes(codes: usize, x: usize, weights: usize, scale: f32, down: bool): i32 {
  if (!table) table = buildEight(IQ1_POINTS, 2048, 3);
  let vector: u32 = 0;
  for (let i: u32 = 0; i < 8; i++) vector |= <u32>load<u8>(codes + i) << (2 * i);
  const entry = load<u32>(table + 4 * numberOfEight(vector));
  if (entry & ON_GRID) return entry & 0xffff;
  allOnGrid = false;
  const shift = shiftOf(down);
  const point = nearestEight(table, entry, x, weights, scale * (shift - <f32>1), scale * shift, scale * (shift + <f32>1), 0);
  if (point < 0) return -1;
  for (let i: u32 = 0; i < 8; i++) store<u8>(codes + i, (point >> (2 * i)) & 3);
  return load<u32>(table + 4 * numberOfEight(point)) & 0xffff;
}

/** Starts a sub-block: so far all codes were points. */
@inline
export function beginPlacing(): void {
  allOnGrid = true;
}

/** Sums of addProjection. */
export let sumQX: f32 = 0;
export let sumQ2: f32 = 0;

@inline
export function clearSums(): void {
  sumQX = 0;
  sumQ2 = 0;
}

/** Adds Σ w·q·x and Σ w·q² of eight weights, whose codes stand for levels times `factor`. */
@inline
export function addProjection(codes: usize, x: usize, weights: usize, down: bool, factor: f32): void {
  const shift: f32 = shiftOf(down) - <f32>1;
  for (let i: usize = 0; i < 8; i++) {
    const q: f32 = (<f32>load<u8>(codes + i) + shift) * factor;
    const wq: f32 = load<f32>(weights + 4 * i) * q;
    sumQX += wq * load<f32>(x + 4 * i);
    sumQ2 += wq * q;
  }
}

/** The largest magnitude of `bytes` bytes of floats. */
@inline
export function largestMagnitude(src: usize, bytes: usize): f32 {
  let largest = f32x4.abs(v128.load(src));
  for (let i: usize = 16; i < bytes; i += 16) largest = f32x4.pmax(largest, f32x4.abs(v128.load(src + i)));
  return largestLane(largest);
}
