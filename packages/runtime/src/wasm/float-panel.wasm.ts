// A panel (up to 8 rows of stored weights) against a list of tokens as floats: the inner part of matmul and
// matmulExperts where activations are not rounded.
//
// KC weights of each row are handled at a time, decoded to f32 in the thread's scratch (F32 rows are used in place).
// A product of a token and a row is summed in four lanes by k mod 4, the lanes are added, then a rest of 1–3 weights;
// the sums of the parts add up in y. That order is the same in every kernel here: a token's result does not depend on
// its batch.
import { decode, F32 } from './decoders.wasm';
import { loadLanes, storeLanes, sums } from './lanes.wasm';
import { LIST_BYTES, PANEL } from './token-list.wasm';

const KC: usize = 512;
const WORD: usize = 4;
/** Decoded rows [8][KC], after the list of tokens. */
const ROWS: usize = LIST_BYTES;

/**
 * Multiplies `count` ≤ 8 rows of w with the first `tokens` of the list.
 * args: w, bias or 0, C, type, blockSize, typeSize
 */
export function multiplyFloats(
  args: usize,
  row: usize,
  count: usize,
  column: usize,
  tokens: usize,
  scratch: usize,
): void {
  const bias: usize = load<u32>(args, 4), cols: usize = load<u32>(args, 8);
  for (let k: usize = 0; k < cols; k += KC) {
    const part = min(KC, cols - k);
    const rows = rowParts(args, row, count, k, part, scratch + ROWS);
    const apart: usize = load<u32>(args, 12) == F32 ? 4 * cols : 4 * KC;
    for (let first: usize = 0; first < count; first += 4) {
      const four = min<usize>(4, count - first);
      const w = rows + first * apart;
      const start: usize = k ? 0 : bias ? bias + 4 * (column + first) : 0;
      multiplyFour(w, apart, four, part, k, start, 4 * (column + first), tokens, scratch);
    }
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
    let a = f32x4.splat(0), b = a, c = a, d = a, e = a, f = a, g = a, h = a;
    for (let i: usize = 0; i < WORD * (part & ~3); i += 16) {
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
    store4(token, yOffset, k, start, addRest(sums(a, b, c, d), x0, w, w1, w2, w3, part), count);
    store4(token + 8, yOffset, k, start, addRest(sums(e, f, g, h), x1, w, w1, w2, w3, part), count);
  }
  if (token < end) {
    const x = <usize>load<u32>(token) + 4 * k;
    store4(token, yOffset, k, start, addRest(dot4(x, w, w1, w2, w3, part & ~3), x, w, w1, w2, w3, part), count);
  }
}

@inline
function madd(sum: v128, a: v128, b: v128): v128 {
  return f32x4.add(sum, f32x4.mul(a, b));
}

/** One token against four rows of `count` (a multiple of 4) floats. */
@inline
function dot4(x: usize, w0: usize, w1: usize, w2: usize, w3: usize, count: usize): v128 {
  let a = f32x4.splat(0), b = a, c = a, d = a;
  for (let i: usize = 0; i < WORD * count; i += 16) {
    const v = v128.load(x + i);
    a = madd(a, v, v128.load(w0 + i));
    b = madd(b, v, v128.load(w1 + i));
    c = madd(c, v, v128.load(w2 + i));
    d = madd(d, v, v128.load(w3 + i));
  }
  return sums(a, b, c, d);
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
