// A panel (up to 8 rows of quantized weights) against a list of tokens whose activations are rounded to 8 bits
// (@quern/blocks src/activations): the inner part of matmul and matmulExperts.
//
// The arithmetic is one for all ways through this file, so a token's result does not depend on its batch:
//   y = Σ over blocks, in order, of step · (d · Σ code · x − dmin · Σ min · x), then + bias
// where the inner sums are integers, hence exact, and every other operation is rounded to f32 in this order.
//
// - few tokens, or rows left over: the stored row against one token (`dotRows`), four rows side by side;
// - many tokens: KC weights of 8 rows are unpacked to 16-bit integers, transposed so that vector lanes are rows, and
//   multiplied in tiles of 4 tokens × 8 rows (`tilePanel`). Sums over the blocks so far live in y.
import { NEXT } from '@quern/blocks/src/activations/products.wasm';
import { dotOperand, stepsOf, sumsOf } from '@quern/blocks/src/activations/row.wasm';
import { dotRow, hasMins, unpackBlock } from './integer-types.wasm';
import { loadLanes, storeLanes } from './lanes.wasm';
import { LIST_BYTES, PANEL } from './token-list.wasm';

const KC: usize = 1024;
const TILE: usize = 4;
// Scratch after the list of tokens: four unpacked blocks of at most 140 words, then the panel.
const UNPACKED: usize = LIST_BYTES;
const UNPACKED_BYTES: usize = 560;
const PACKED: usize = UNPACKED + 4 * UNPACKED_BYTES;
// Or, for dotRows, where dotRow writes; so many blocks that a row is usually read from end to end, as memory likes it.
const DOT_BLOCKS: usize = 128;
const DOTS: usize = LIST_BYTES;
const UNITS: usize = DOTS + DOT_BLOCKS * 128;

/**
 * Multiplies `count` ≤ 8 rows of w with the first `tokens` of the list.
 * args: w, bias or 0, C, type, blockSize, typeSize
 */
export function multiplyIntegers(
  args: usize,
  row: usize,
  count: usize,
  column: usize,
  tokens: usize,
  scratch: usize,
): void {
  let done: usize = 0;
  if (count == PANEL) {
    done = tokens - (tokens % TILE);
    if (done) tilePanel(args, row, column, done, scratch);
  }
  for (; done < tokens; done++) {
    dotRows(args, row, min<usize>(4, count), column, done, scratch);
    if (count > 4) dotRows(args, row + 4, count - 4, column + 4, done, scratch);
  }
}

/** Where weight k of `row` is stored; in blocks, since a large matrix has more weights than 32 bits can count. */
@inline
function blockAt(args: usize, row: usize, k: usize): usize {
  const cols: usize = load<u32>(args, 8), blockSize: usize = load<u32>(args, 16), typeSize: usize = load<u32>(args, 20);
  return <usize>load<u32>(args) + (row * (cols / blockSize) + k / blockSize) * typeSize;
}

/** `count` ≤ 4 rows against one token. */
function dotRows(args: usize, row: usize, count: usize, column: usize, token: usize, scratch: usize): void {
  const bias: usize = load<u32>(args, 4), cols: usize = load<u32>(args, 8), blockSize: usize = load<u32>(args, 16);
  const type = load<u32>(args, 12);
  const x: usize = load<u32>(scratch + 8 * token), y: usize = load<u32>(scratch + 8 * token, 4);
  const steps = stepsOf(x, cols), sums = sumsOf(x, cols, blockSize), operand = dotOperand(x, cols, blockSize);
  let total = f32x4.splat(0);
  for (let k: usize = 0; k < cols; k += DOT_BLOCKS * blockSize) {
    const blocks = min(DOT_BLOCKS, (cols - k) / blockSize);
    for (let r: usize = 0; r < count; r++)
      dotRow(
        type,
        blockAt(args, row + r, k),
        operand + (k / 16) * NEXT,
        sums + k / 8,
        blocks,
        scratch + DOTS + 16 * r,
        scratch + UNITS + 4 * r,
      );
    total = addBlocks(total, steps + (4 * k) / blockSize, blocks, scratch, hasMins(type));
  }
  const place = y + 4 * column;
  storeLanes(place, bias ? f32x4.add(total, loadLanes(bias + 4 * column, count)) : total, count);
}

/** Adds what dotRow left for four rows. */
@inline
function addBlocks(total: v128, steps: usize, blocks: usize, scratch: usize, mins: bool): v128 {
  let dots = scratch + DOTS, units = scratch + UNITS;
  for (const end = steps + 4 * blocks; steps < end; steps += 4) {
    let value = f32x4.mul(v128.load(units), f32x4.convert_i32x4_s(laneSums(dots)));
    if (mins) {
      const below = f32x4.mul(v128.load(units, 16), f32x4.convert_i32x4_s(laneSums(dots + 64)));
      value = f32x4.sub(value, below);
    }
    total = f32x4.add(total, f32x4.mul(v128.load32_splat(steps), value));
    dots += 128;
    units += 32;
  }
  return total;
}

/** The four sums of the lanes of four vectors. */
@inline
function laneSums(at: usize): v128 {
  const a = v128.load(at), b = v128.load(at, 16), c = v128.load(at, 32), d = v128.load(at, 48);
  const ab = i32x4.add(v128.shuffle<u32>(a, b, 0, 4, 1, 5), v128.shuffle<u32>(a, b, 2, 6, 3, 7));
  const cd = i32x4.add(v128.shuffle<u32>(c, d, 0, 4, 1, 5), v128.shuffle<u32>(c, d, 2, 6, 3, 7));
  return i32x4.add(v128.shuffle<u64>(ab, cd, 0, 2), v128.shuffle<u64>(ab, cd, 1, 3));
}

/** Words of an unpacked block, a multiple of 4: pairs of codes, pairs of minima, d, dmin. */
@inline
function wordsOf(blockSize: usize): usize {
  return (blockSize / 2 + blockSize / 32 + 2 + 3) & ~3;
}

/** Rows `row` … `row` + 7 against `tokens` (a multiple of 4). */
function tilePanel(args: usize, row: usize, column: usize, tokens: usize, scratch: usize): void {
  const bias: usize = load<u32>(args, 4), cols: usize = load<u32>(args, 8);
  const list = scratch + 8 * tokens;
  for (let k: usize = 0; k < cols; k += KC) {
    const count = min(KC, cols - k);
    packPanel(args, row, k, count, scratch);
    for (let token = scratch; token < list; token += 8 * TILE) tile4(args, token, k, count, scratch + PACKED, 4 * column);
  }
  if (!bias) return;
  for (let token = scratch; token < list; token += 8) {
    const y = <usize>load<u32>(token, 4) + 4 * column;
    v128.store(y, f32x4.add(v128.load(y), v128.load(bias + 4 * column)));
    v128.store(y, f32x4.add(v128.load(y, 16), v128.load(bias + 4 * column, 16)), 16);
  }
}

/** Unpacks `count` weights of 8 rows: every word of an unpacked block becomes 8 words, one per row. */
function packPanel(args: usize, row: usize, k: usize, count: usize, scratch: usize): void {
  const type = load<u32>(args, 12);
  const blockSize: usize = load<u32>(args, 16), typeSize: usize = load<u32>(args, 20);
  const words = wordsOf(blockSize);
  for (let half: usize = 0; half < 2; half++) {
    let src = blockAt(args, row + 4 * half, k);
    const rowBytes = blockAt(args, row + 4 * half + 1, k) - src;
    let to = scratch + PACKED + 16 * half;
    for (let block = count / blockSize; block > 0; block--) {
      for (let r: usize = 0; r < 4; r++) unpackBlock(type, src + r * rowBytes, scratch + UNPACKED + r * UNPACKED_BYTES);
      transposeWords(scratch + UNPACKED, words, to);
      src += typeSize;
      to += 32 * words;
    }
  }
}

/** `words` words of four rows → to[word][row], 32 bytes from one word to the next. */
@inline
function transposeWords(from: usize, words: usize, to: usize): void {
  for (const end = from + 4 * words; from < end; from += 16) {
    const a = v128.load(from), b = v128.load(from, UNPACKED_BYTES);
    const c = v128.load(from, 2 * UNPACKED_BYTES), d = v128.load(from, 3 * UNPACKED_BYTES);
    const ac = v128.shuffle<u32>(a, c, 0, 4, 1, 5), bd = v128.shuffle<u32>(b, d, 0, 4, 1, 5);
    const ac2 = v128.shuffle<u32>(a, c, 2, 6, 3, 7), bd2 = v128.shuffle<u32>(b, d, 2, 6, 3, 7);
    v128.store(to, v128.shuffle<u32>(ac, bd, 0, 4, 1, 5));
    v128.store(to, v128.shuffle<u32>(ac, bd, 2, 6, 3, 7), 32);
    v128.store(to, v128.shuffle<u32>(ac2, bd2, 0, 4, 1, 5), 64);
    v128.store(to, v128.shuffle<u32>(ac2, bd2, 2, 6, 3, 7), 96);
    to += 128;
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
  const rest = <usize>32 * (wordsOf(blockSize) - blockSize / 2);
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
