// A panel (up to 8 rows of stored weights) against a list of tokens as floats: the inner part of matmul and
// matmulExperts where activations are not rounded.
//
// KC weights of each row are handled at a time; those that many tokens meet, or whose type takes more than a shift, are
// decoded to f32 in the thread's scratch (F32 rows are used in place). A product of a token and a row is summed in eight
// parts by k mod 8, in two vectors that are then added, then their lanes, then a rest of 1–3 weights; the sums of KC
// weights each add up in y. That order is the same in every kernel here: a token's result does not depend on its batch.
import { decode, F32 } from './decoders.wasm';
import { loadLanes, storeLanes, sums } from './lanes.wasm';
import { dotRow, isPlain } from './plain-row.wasm';
import { LIST_BYTES, PANEL } from './token-list.wasm';

const KC: usize = 512;
const WORD: usize = 4;
/** Eight vectors of sums, then decoded rows [8][KC], after the list of tokens. */
const SUMS: usize = LIST_BYTES;
const ROWS: usize = LIST_BYTES + 128;

/**
 * Multiplies `count` ≤ 8 rows of w with the first `tokens` of the list.
 * args: w, bias or 0, C, type, blockSize, typeSize, 2 where F16 weights are known to be finite
 */
export function multiplyFloats(
  args: usize,
  row: usize,
  count: usize,
  column: usize,
  tokens: usize,
  scratch: usize,
): void {
  const bias: usize = load<u32>(args, 4), cols: usize = load<u32>(args, 8), type = load<u32>(args, 12);
  if (tokens == 1 && isPlain(type, load<u32>(args, 24) == 2)) {
    multiplyPlain(args, row, count, column, scratch);
    return;
  }
  for (let k: usize = 0; k < cols; k += KC) {
    const part = min(KC, cols - k);
    const rows = rowParts(args, row, count, k, part, scratch + ROWS);
    const apart: usize = type == F32 ? 4 * cols : 4 * KC;
    for (let first: usize = 0; first < count; first += 4) {
      const four = min<usize>(4, count - first);
      const w = rows + first * apart;
      const start: usize = k ? 0 : bias ? bias + 4 * (column + first) : 0;
      multiplyFour(w, apart, four, part, k, start, 4 * (column + first), tokens, scratch);
    }
  }
}

/** Rows that need no scratch against one token, each from end to end as memory likes it. */
function multiplyPlain(args: usize, row: usize, count: usize, column: usize, scratch: usize): void {
  const bias: usize = load<u32>(args, 4), cols: usize = load<u32>(args, 8), type = load<u32>(args, 12);
  const typeSize: usize = load<u32>(args, 20);
  const x: usize = load<u32>(scratch);
  let y = <usize>load<u32>(scratch, 4) + 4 * column, w = <usize>load<u32>(args) + row * cols * typeSize;
  for (const end = column + count; column < end; column++) {
    let total: f32 = 0;
    for (let k: usize = 0; k < cols; k += KC) {
      const dot = dotRow(type, x + 4 * k, w + k * typeSize, min(KC, cols - k));
      total = k ? dot + total : bias ? dot + load<f32>(bias + 4 * column) : dot;
    }
    store<f32>(y, total);
    y += 4;
    w += cols * typeSize;
  }
}

/** Weights k … k+part of the rows as floats: where they are, or decoded into `into`, KC apart. */
function rowParts(args: usize, row: usize, count: usize, k: usize, part: usize, into: usize): usize {
  const cols: usize = load<u32>(args, 8), type = load<u32>(args, 12);
  const blockSize: usize = load<u32>(args, 16), typeSize: usize = load<u32>(args, 20);
  // In blocks, not weights: a large matrix has more weights than 32 bits can count.
  const rowBytes = (cols / blockSize) * typeSize;
  const src = <usize>load<u32>(args) + row * rowBytes + (k / blockSize) * typeSize;
  if (type == F32) return src;
  for (let r: usize = 0; r < count; r++) decode(type, src + r * rowBytes, into + r * KC * 4, part / blockSize);
  return into;
}

/** `count` ≤ 4 rows of `part` floats against every token, two at a time; `start` holds what y begins with, or 0. */
function multiplyFour(
  w: usize,
  apart: usize,
  count: usize,
  part: usize,
  k: usize,
  start: usize,
  yOffset: usize,
  tokens: usize,
  scratch: usize,
): void {
  const last = w + (count - 1) * apart;
  const w1 = min(w + apart, last), w2 = min(w + 2 * apart, last), w3 = min(w + 3 * apart, last);
  const end = scratch + 8 * tokens;
  let token = scratch;
  for (; token + 8 < end; token += 16) {
    const x0 = <usize>load<u32>(token) + 4 * k, x1 = <usize>load<u32>(token, 8) + 4 * k;
    eighths(x0, x1, w, w1, w2, w3, part, scratch + SUMS);
    const sum = scratch + SUMS;
    const first = sums(v128.load(sum), v128.load(sum, 16), v128.load(sum, 32), v128.load(sum, 48));
    const second = sums(v128.load(sum, 64), v128.load(sum, 80), v128.load(sum, 96), v128.load(sum, 112));
    store4(token, yOffset, k, start, addRest(first, x0, w, w1, w2, w3, part), count);
    store4(token + 8, yOffset, k, start, addRest(second, x1, w, w1, w2, w3, part), count);
  }
  if (token < end) {
    const x = <usize>load<u32>(token) + 4 * k;
    let dots = f32x4.splat(dotRow(F32, x, w, part));
    dots = f32x4.replace_lane(dots, 1, dotRow(F32, x, w1, part));
    dots = f32x4.replace_lane(dots, 2, dotRow(F32, x, w2, part));
    dots = f32x4.replace_lane(dots, 3, dotRow(F32, x, w3, part));
    store4(token, yOffset, k, start, dots, count);
  }
}

/** Two tokens against four rows: for each of the eight pairs a vector of sums by k mod 4, those of even fours added to those of odd ones, whole fours of weights only. */
function eighths(x0: usize, x1: usize, w: usize, w1: usize, w2: usize, w3: usize, part: usize, out: usize): void {
  const last = WORD * (part & ~3);
  for (let phase: usize = 0; phase < 32; phase += 16) {
    let a = f32x4.splat(0), b = a, c = a, d = a, e = a, f = a, g = a, h = a;
    for (let i = phase; i < last; i += 32) {
      const u = v128.load(x0 + i), v = v128.load(x1 + i);
      let row = v128.load(w + i);
      a = madd(a, u, row); e = madd(e, v, row);
      row = v128.load(w1 + i);
      b = madd(b, u, row); f = madd(f, v, row);
      row = v128.load(w2 + i);
      c = madd(c, u, row); g = madd(g, v, row);
      row = v128.load(w3 + i);
      d = madd(d, u, row); h = madd(h, v, row);
    }
    addTo(out, a, phase); addTo(out + 16, b, phase); addTo(out + 32, c, phase); addTo(out + 48, d, phase);
    addTo(out + 64, e, phase); addTo(out + 80, f, phase); addTo(out + 96, g, phase); addTo(out + 112, h, phase);
  }
}

@inline
function addTo(at: usize, v: v128, phase: usize): void {
  v128.store(at, phase ? f32x4.add(v128.load(at), v) : v);
}

@inline
function madd(sum: v128, a: v128, b: v128): v128 {
  return f32x4.add(sum, f32x4.mul(a, b));
}

/** Adds the last `count` mod 4 products, one after the other. */
@inline
function addRest(dots: v128, x: usize, w0: usize, w1: usize, w2: usize, w3: usize, count: usize): v128 {
  for (let i = WORD * (count & ~3); i < WORD * count; i += 4) {
    let v = v128.load32_zero(w0 + i);
    v = f32x4.replace_lane(v, 1, load<f32>(w1 + i));
    v = f32x4.replace_lane(v, 2, load<f32>(w2 + i));
    v = f32x4.replace_lane(v, 3, load<f32>(w3 + i));
    dots = madd(dots, v128.load32_splat(x + i), v);
  }
  return dots;
}

@inline
function store4(token: usize, yOffset: usize, k: usize, start: usize, dots: v128, count: usize): void {
  const y = <usize>load<u32>(token, 4) + yOffset;
  const before = k ? y : start;
  storeLanes(y, before ? f32x4.add(dots, loadLanes(before, count)) : dots, count);
}
