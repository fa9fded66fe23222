// A panel (up to 8 rows of quantized weights, which lie side by side: @quern/blocks src/activations/rows8.wasm.ts) against
// a list of tokens whose activations are rounded to 8 bits: the inner part of matmul and matmulExperts.
//
// The arithmetic is one for both ways through this file, so a token's result does not depend on its batch:
//   y = Σ over blocks, in order, of step · (d · Σ code · x − dmin · Σ min · x), then + bias
// where the inner sums are integers, hence exact, and every other operation is rounded to f32 in this order.
//
// - few tokens, or rows left over: the groups of 8 rows against one token (`dotGroups`);
// - many tokens: KC weights of 8 rows are unpacked to 16-bit integers and multiplied in tiles of 4 tokens × 8 rows
//   (`tilePanel`). Sums over the blocks so far live in y;
// - many tokens in relaxed SIMD, for types that have a kernel of four tokens: the groups against four at a time (`fourByFour`).
import { WORD } from '@quern/blocks/src/activations/rows8.wasm';
import { stepsOf, sumsOf } from '@quern/blocks/src/activations/row.wasm';
import { dotFour, dotGroups, hasMins, takesFour, unpackGroup } from './integer-types.wasm';
import { LIST_BYTES, PANEL } from './token-list.wasm';

const KC: usize = 1024;
const TILE: usize = 4;
// Scratch after the list of tokens: what the types' kernels use, then eight results or a panel.
const KERNEL: usize = LIST_BYTES;
const KERNEL_BYTES: usize = 512;
const RESULTS: usize = KERNEL + KERNEL_BYTES;
const PACKED: usize = KERNEL + KERNEL_BYTES;

/**
 * Multiplies `count` ≤ 8 rows of w with the first `tokens` of the list.
 * args: first group of w, bias or 0, C, type, blockSize, typeSize, (rounded), row of the first group that is row 0
 */
export function multiplyIntegers(
  args: usize,
  row: usize,
  count: usize,
  column: usize,
  tokens: usize,
  scratch: usize,
): void {
  const first = row + <usize>load<u32>(args, 28), lane = first % PANEL;
  const here = min(count, PANEL - lane);
  multiplyGroup(args, first / PANEL, lane, here, column, tokens, scratch);
  if (here < count) multiplyGroup(args, first / PANEL + 1, 0, count - here, column + here, tokens, scratch);
}

/** Rows `lane` … `lane + count` − 1 of a row of groups. */
function multiplyGroup(
  args: usize,
  group: usize,
  lane: usize,
  count: usize,
  column: usize,
  tokens: usize,
  scratch: usize,
): void {
  const cols: usize = load<u32>(args, 8), type = load<u32>(args, 12);
  const blockSize: usize = load<u32>(args, 16), typeSize: usize = load<u32>(args, 20);
  const blocks = cols / blockSize;
  const w = <usize>load<u32>(args) + group * blocks * PANEL * typeSize;
  let done: usize = 0;
  if (count == PANEL) {
    done = tokens - (tokens % TILE);
    if (ASC_FEATURE_RELAXED_SIMD && takesFour(type)) fourByFour(args, w, column, done, scratch);
    else if (done) tilePanel(args, w, column, done, scratch);
  }
  for (; done < tokens; done++) {
    const token = scratch + 8 * done;
    dotGroups(type, w, blocks, load<u32>(token), scratch + RESULTS, scratch + KERNEL);
    storeResults(args, scratch + RESULTS + 4 * lane, count, column, load<u32>(token, 4));
  }
}

/** A row of groups against `tokens` (a multiple of 4), without a panel. */
@inline
function fourByFour(args: usize, w: usize, column: usize, tokens: usize, scratch: usize): void {
  const blocks = <usize>load<u32>(args, 8) / <usize>load<u32>(args, 16), type = load<u32>(args, 12);
  for (let token = scratch; token < scratch + 8 * tokens; token += 8 * TILE) {
    dotFour(type, w, blocks, token, scratch + RESULTS, scratch + KERNEL);
    for (let i: usize = 0; i < TILE; i++)
      storeResults(args, scratch + RESULTS + 4 * PANEL * i, PANEL, column, load<u32>(token + 8 * i, 4));
  }
}

/** `count` results of one token. */
@inline
function storeResults(args: usize, results: usize, count: usize, column: usize, y: usize): void {
  const bias: usize = load<u32>(args, 4);
  y += 4 * column;
  if (count == PANEL && !bias) {
    v128.store(y, v128.load(results));
    v128.store(y, v128.load(results, 16), 16);
    return;
  }
  for (let i: usize = 0; i < 4 * count; i += 4)
    store<f32>(y + i, bias ? load<f32>(results + i) + load<f32>(bias + 4 * column + i) : load<f32>(results + i));
}

/** Words of an unpacked block: pairs of codes, pairs of minima, d, dmin. */
@inline
function wordsOf(blockSize: usize): usize {
  return blockSize / 2 + blockSize / 32 + 2;
}

/** A row of groups against `tokens` (a multiple of 4). */
function tilePanel(args: usize, w: usize, column: usize, tokens: usize, scratch: usize): void {
  const bias: usize = load<u32>(args, 4), cols: usize = load<u32>(args, 8), type = load<u32>(args, 12);
  const blockSize: usize = load<u32>(args, 16), groupBytes = PANEL * <usize>load<u32>(args, 20);
  const list = scratch + 8 * tokens;
  for (let k: usize = 0; k < cols; k += KC) {
    const count = min(KC, cols - k);
    let to = scratch + PACKED;
    for (let block = count / blockSize; block > 0; block--) {
      unpackGroup(type, w, to, scratch + KERNEL);
      w += groupBytes;
      to += WORD * wordsOf(blockSize);
    }
    for (let token = scratch; token < list; token += 8 * TILE) tile4(args, token, k, count, scratch + PACKED, 4 * column);
  }
  if (!bias) return;
  for (let token = scratch; token < list; token += 8) {
    const y = <usize>load<u32>(token, 4) + 4 * column;
    v128.store(y, f32x4.add(v128.load(y), v128.load(bias + 4 * column)));
    v128.store(y, f32x4.add(v128.load(y, 16), v128.load(bias + 4 * column, 16)), 16);
  }
}

@inline
function madd(sum: v128, x: v128, codes: v128): v128 {
  return i32x4.add(sum, i32x4.dot_i16x8_s(x, codes));
}

/** 4 tokens × 8 rows. Eight sums, two vectors of the panel and one of activations fit 16 registers. */
function tile4(args: usize, token: usize, k: usize, count: usize, panel: usize, yOffset: usize): void {
  const cols: usize = load<u32>(args, 8), blockSize: usize = load<u32>(args, 16);
  const mins = hasMins(load<u32>(args, 12));
  const row0: usize = load<u32>(token), row1: usize = load<u32>(token, 8);
  const row2: usize = load<u32>(token, 16), row3: usize = load<u32>(token, 24);
  const rest = WORD * (wordsOf(blockSize) - blockSize / 2);
  let x0 = row0 + 2 * k, x1 = row1 + 2 * k, x2 = row2 + 2 * k, x3 = row3 + 2 * k;
  for (const end = k + count; k < end; k += blockSize) {
    let s00 = i32x4.splat(0), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00;
    for (const last = panel + 16 * blockSize; panel < last; panel += 64) {
      let p0 = v128.load(panel), p1 = v128.load(panel, 16), v = v128.load32_splat(x0);
      s00 = madd(s00, v, p0); s01 = madd(s01, v, p1);
      v = v128.load32_splat(x1);
      s10 = madd(s10, v, p0); s11 = madd(s11, v, p1);
      v = v128.load32_splat(x2);
      s20 = madd(s20, v, p0); s21 = madd(s21, v, p1);
      v = v128.load32_splat(x3);
      s30 = madd(s30, v, p0); s31 = madd(s31, v, p1);
      p0 = v128.load(panel, 32); p1 = v128.load(panel, 48); v = v128.load32_splat(x0, 4);
      s00 = madd(s00, v, p0); s01 = madd(s01, v, p1);
      v = v128.load32_splat(x1, 4);
      s10 = madd(s10, v, p0); s11 = madd(s11, v, p1);
      v = v128.load32_splat(x2, 4);
      s20 = madd(s20, v, p0); s21 = madd(s21, v, p1);
      v = v128.load32_splat(x3, 4);
      s30 = madd(s30, v, p0); s31 = madd(s31, v, p1);
      x0 += 8; x1 += 8; x2 += 8; x3 += 8;
    }
    const step = stepsOf(0, cols) + (4 * k) / blockSize, sum = sumsOf(0, cols, blockSize) + k / 8;
    addBlock(panel, blockSize, mins, row0 + step, row0 + sum, k, <usize>load<u32>(token, 4) + yOffset, s00, s01);
    addBlock(panel, blockSize, mins, row1 + step, row1 + sum, k, <usize>load<u32>(token, 12) + yOffset, s10, s11);
    addBlock(panel, blockSize, mins, row2 + step, row2 + sum, k, <usize>load<u32>(token, 20) + yOffset, s20, s21);
    addBlock(panel, blockSize, mins, row3 + step, row3 + sum, k, <usize>load<u32>(token, 28) + yOffset, s30, s31);
    panel += rest;
  }
}

/** Adds a block's value for one token and 8 rows to y; `panel` points at the minima. */
@inline
function addBlock(
  panel: usize,
  blockSize: usize,
  mins: bool,
  step: usize,
  sums: usize,
  k: usize,
  y: usize,
  low: v128,
  high: v128,
): void {
  const units = panel + blockSize;
  let value0 = f32x4.mul(v128.load(units), f32x4.convert_i32x4_s(low));
  let value1 = f32x4.mul(v128.load(units, 16), f32x4.convert_i32x4_s(high));
  if (mins) {
    let m0 = i32x4.splat(0), m1 = m0;
    for (; panel < units; panel += 32) {
      const v = v128.load32_splat(sums);
      m0 = madd(m0, v, v128.load(panel)); m1 = madd(m1, v, v128.load(panel, 16));
      sums += 4;
    }
    value0 = f32x4.sub(value0, f32x4.mul(v128.load(units, 32), f32x4.convert_i32x4_s(m0)));
    value1 = f32x4.sub(value1, f32x4.mul(v128.load(units, 48), f32x4.convert_i32x4_s(m1)));
  }
  const factor = v128.load32_splat(step);
  value0 = f32x4.mul(factor, value0);
  value1 = f32x4.mul(factor, value1);
  const zero = f32x4.splat(0);
  v128.store(y, f32x4.add(k ? v128.load(y) : zero, value0));
  v128.store(y, f32x4.add(k ? v128.load(y, 16) : zero, value1), 16);
}
