// A panel (up to 8 rows of stored weights) against a list of tokens: the inner part of matmul and matmulExperts.
//   y[token][column + r] = x[token] · w[row + r] + bias[column + r]
//
// KC weights of each row are handled at a time, decoded to f32 in the thread's scratch (F32 rows are used in place):
// - few tokens: four rows against one token, sums in four vectors (`dotRows`);
// - many tokens: the panel is transposed to [k][8] and multiplied in tiles of 4 tokens × 8 rows (`tilePanel`).
// Partial sums over k live in y. Tokens are a list of addresses, so they need not lie next to each other.
import { decode, F32 } from './decoders.wasm';
import { loadLanes, storeLanes, sums } from './lanes.wasm';

export const PANEL: usize = 8;
/** Tokens that the list in scratch holds; a panel is decoded once for all of them. */
export const LIST_TOKENS: usize = 1008;

const KC: usize = 512;
/** Up to here reading a row once per token costs less than transposing it. */
const FEW_TOKENS: usize = 3;
// Scratch: 4 decoded rows of KC, then the transposed panel [KC][8], then 8 bias values, then the list: x and y per token.
const PACKED: usize = 4 * KC * 4;
const BIAS: usize = PACKED + KC * PANEL * 4;
const LIST: usize = BIAS + PANEL * 4;

/** Token `index` of the list: where its row of x and its row of y begin. */
@inline
export function listToken(scratch: usize, index: usize, x: usize, y: usize): void {
  store<u32>(scratch + LIST + index * 8, x);
  store<u32>(scratch + LIST + index * 8, y, 4);
}

/**
 * Multiplies `count` ≤ 8 rows of w with the first `tokens` of the list.
 * args: w, bias or 0, C, type, blockSize, typeSize
 */
export function multiplyPanel(args: usize, row: usize, count: usize, column: usize, tokens: usize, scratch: usize): void {
  if (tokens > FEW_TOKENS && count == PANEL) {
    tilePanel(args, row, column, tokens, scratch);
    return;
  }
  dotRows(args, row, min<usize>(4, count), column, tokens, scratch);
  if (count > 4) dotRows(args, row + 4, count - 4, column + 4, tokens, scratch);
}

/** Weights k … k+count of `row` as floats: where they are, or decoded into `into`. */
function rowPart(args: usize, row: usize, k: usize, count: usize, into: usize): usize {
  const type = load<u32>(args, 12);
  const blockSize: usize = load<u32>(args, 16);
  const typeSize: usize = load<u32>(args, 20);
  const cols: usize = load<u32>(args, 8);
  // In blocks, not weights: a large matrix has more weights than 32 bits can count.
  const src = <usize>load<u32>(args) + (row * (cols / blockSize) + k / blockSize) * typeSize;
  if (type == F32) return src;
  decode(type, src, into, count / blockSize);
  return into;
}

/** `count` ≤ 4 rows against every token. */
function dotRows(args: usize, row: usize, count: usize, column: usize, tokens: usize, scratch: usize): void {
  const cols: usize = load<u32>(args, 8);
  const bias: usize = load<u32>(args, 4);
  const last = row + count - 1;
  const end = scratch + LIST + tokens * 8;
  for (let k: usize = 0; k < cols; k += KC) {
    const part = min(KC, cols - k);
    const w0 = rowPart(args, row, k, part, scratch);
    const w1 = rowPart(args, min(row + 1, last), k, part, scratch + KC * 4);
    const w2 = rowPart(args, min(row + 2, last), k, part, scratch + KC * 8);
    const w3 = rowPart(args, min(row + 3, last), k, part, scratch + KC * 12);
    for (let token = scratch + LIST; token < end; token += 8) {
      const y = <usize>load<u32>(token, 4) + column * 4;
      const dots = dot4(<usize>load<u32>(token) + k * 4, w0, w1, w2, w3, part);
      const before = k > 0 ? y : bias ? bias + column * 4 : 0;
      storeLanes(y, before ? f32x4.add(dots, loadLanes(before, count)) : dots, count);
    }
  }
}

function dot4(x: usize, w0: usize, w1: usize, w2: usize, w3: usize, count: usize): v128 {
  let a = f32x4.splat(0), b = a, c = a, d = a;
  for (const end = x + (count & ~3) * 4; x < end; x += 16) {
    const v = v128.load(x);
    a = f32x4.add(a, f32x4.mul(v, v128.load(w0)));
    b = f32x4.add(b, f32x4.mul(v, v128.load(w1)));
    c = f32x4.add(c, f32x4.mul(v, v128.load(w2)));
    d = f32x4.add(d, f32x4.mul(v, v128.load(w3)));
    w0 += 16; w1 += 16; w2 += 16; w3 += 16;
  }
  let dots = sums(a, b, c, d);
  for (const end = x + (count & 3) * 4; x < end; x += 4) {
    dots = f32x4.add(dots, f32x4.mul(v128.load32_splat(x), floatOfEach(w0, w1, w2, w3)));
    w0 += 4; w1 += 4; w2 += 4; w3 += 4;
  }
  return dots;
}

/** One float of each of four rows. */
@inline
function floatOfEach(w0: usize, w1: usize, w2: usize, w3: usize): v128 {
  let v = v128.load32_zero(w0);
  v = f32x4.replace_lane(v, 1, load<f32>(w1));
  v = f32x4.replace_lane(v, 2, load<f32>(w2));
  return f32x4.replace_lane(v, 3, load<f32>(w3));
}

/** Rows `row` … `row`+7 against every token, in tiles. */
function tilePanel(args: usize, row: usize, column: usize, tokens: usize, scratch: usize): void {
  const cols: usize = load<u32>(args, 8);
  const bias: usize = load<u32>(args, 4);
  const packed = scratch + PACKED;
  const start = scratch + BIAS;
  v128.store(start, bias ? v128.load(bias + column * 4) : f32x4.splat(0));
  v128.store(start, bias ? v128.load(bias + column * 4, 16) : f32x4.splat(0), 16);
  for (let k: usize = 0; k < cols; k += KC) {
    const part = min(KC, cols - k);
    pack4(args, row, k, part, scratch, packed);
    pack4(args, row + 4, k, part, scratch, packed + 16);
    const from: usize = k ? 0 : start;
    let token = scratch + LIST;
    let left = tokens;
    for (; left >= 4; left -= 4, token += 32) tile4(token, k * 4, packed, part, from, column * 4);
    for (; left > 0; left--, token += 8) tile1(token, k * 4, packed, part, from, column * 4);
  }
}

/** Transposes four rows into lanes of the panel: `to`[k][0…3], 32 bytes from one k to the next. */
function pack4(args: usize, row: usize, k: usize, count: usize, scratch: usize, to: usize): void {
  let w0 = rowPart(args, row, k, count, scratch);
  let w1 = rowPart(args, row + 1, k, count, scratch + KC * 4);
  let w2 = rowPart(args, row + 2, k, count, scratch + KC * 8);
  let w3 = rowPart(args, row + 3, k, count, scratch + KC * 12);
  for (const end = to + (count & ~3) * 32; to < end; to += 128) {
    const a = v128.load(w0), b = v128.load(w1), c = v128.load(w2), d = v128.load(w3);
    const ac = v128.shuffle<f32>(a, c, 0, 4, 1, 5), bd = v128.shuffle<f32>(b, d, 0, 4, 1, 5);
    const ac2 = v128.shuffle<f32>(a, c, 2, 6, 3, 7), bd2 = v128.shuffle<f32>(b, d, 2, 6, 3, 7);
    v128.store(to, v128.shuffle<f32>(ac, bd, 0, 4, 1, 5));
    v128.store(to, v128.shuffle<f32>(ac, bd, 2, 6, 3, 7), 32);
    v128.store(to, v128.shuffle<f32>(ac2, bd2, 0, 4, 1, 5), 64);
    v128.store(to, v128.shuffle<f32>(ac2, bd2, 2, 6, 3, 7), 96);
    w0 += 16; w1 += 16; w2 += 16; w3 += 16;
  }
  for (const end = to + (count & 3) * 32; to < end; to += 32) {
    v128.store(to, floatOfEach(w0, w1, w2, w3));
    w0 += 4; w1 += 4; w2 += 4; w3 += 4;
  }
}

@inline
function madd(sum: v128, a: v128, b: v128): v128 {
  return f32x4.add(sum, f32x4.mul(a, b));
}

/**
 * 4 tokens × 8 rows: y = from + x · panel, the sums so far in y when `from` is 0. Eight sums, two panel vectors and one
 * token value fit 16 registers.
 */
function tile4(token: usize, xOffset: usize, panel: usize, count: usize, from: usize, yOffset: usize): void {
  let x0 = <usize>load<u32>(token) + xOffset, x1 = <usize>load<u32>(token, 8) + xOffset;
  let x2 = <usize>load<u32>(token, 16) + xOffset, x3 = <usize>load<u32>(token, 24) + xOffset;
  let s00 = f32x4.splat(0), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00;
  for (const end = panel + count * 32; panel < end; panel += 32) {
    const p0 = v128.load(panel), p1 = v128.load(panel, 16);
    let v = v128.load32_splat(x0);
    s00 = madd(s00, v, p0); s01 = madd(s01, v, p1);
    v = v128.load32_splat(x1);
    s10 = madd(s10, v, p0); s11 = madd(s11, v, p1);
    v = v128.load32_splat(x2);
    s20 = madd(s20, v, p0); s21 = madd(s21, v, p1);
    v = v128.load32_splat(x3);
    s30 = madd(s30, v, p0); s31 = madd(s31, v, p1);
    x0 += 4; x1 += 4; x2 += 4; x3 += 4;
  }
  addStore(token, yOffset, from, s00, s01);
  addStore(token + 8, yOffset, from, s10, s11);
  addStore(token + 16, yOffset, from, s20, s21);
  addStore(token + 24, yOffset, from, s30, s31);
}

/** 1 token × 8 rows; even and odd k in separate sums to hide the latency of additions. */
function tile1(token: usize, xOffset: usize, panel: usize, count: usize, from: usize, yOffset: usize): void {
  let x = <usize>load<u32>(token) + xOffset;
  let s0 = f32x4.splat(0), s1 = s0, o0 = s0, o1 = s0;
  for (const end = panel + (count & ~1) * 32; panel < end; panel += 64) {
    const even = v128.load32_splat(x), odd = v128.load32_splat(x, 4);
    s0 = madd(s0, even, v128.load(panel)); s1 = madd(s1, even, v128.load(panel, 16));
    o0 = madd(o0, odd, v128.load(panel, 32)); o1 = madd(o1, odd, v128.load(panel, 48));
    x += 8;
  }
  if (count & 1) {
    const v = v128.load32_splat(x);
    s0 = madd(s0, v, v128.load(panel)); s1 = madd(s1, v, v128.load(panel, 16));
  }
  addStore(token, yOffset, from, f32x4.add(s0, o0), f32x4.add(s1, o1));
}

@inline
function addStore(token: usize, yOffset: usize, from: usize, low: v128, high: v128): void {
  const y = <usize>load<u32>(token, 4) + yOffset;
  const before = from ? from : y;
  v128.store(y, f32x4.add(low, v128.load(before)));
  v128.store(y, f32x4.add(high, v128.load(before, 16)), 16);
}
