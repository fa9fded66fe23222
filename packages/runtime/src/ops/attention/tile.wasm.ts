// One tile of positions for some queries: scores of two queries and four positions at a time, and sums of values of two
// queries and sixteen dimensions at a time. A single query adds in the same order as one of two.
import { decode, F32 } from '../../wasm/decoders.wasm';
import { exp1, exp4 } from '../../wasm/exp.wasm';
import { addWide, maxLane, sums, wideSum } from '../../wasm/lanes.wasm';
import { tanh4 } from '../../wasm/tanh.wasm';
import {
  ADDRESSES, CELLS, highOf, largest, lowOf, queryAt, ROWS, SCORE_BYTES, SCORES, SEEN, setSoftmax, spanSoftmax, SUMS, total,
  vectorOf,
} from './queries.wasm';

/**
 * Decodes one head of the tile's cells, or finds it where it is floats already; positions outside `low` … `high − 1`
 * repeat the nearest of those. First every cache line is asked for, so that memory answers all at once: the pieces are
 * too short and too far apart to be fetched ahead, and decoding row by row would wait for each.
 * @param cache the head of cell 0; `cellBytes` to that of the next
 */
export function gather(
  cache: usize, cellBytes: usize, type: u32, headBlocks: usize, headBytes: usize, storedBytes: usize,
  low: usize, high: usize, count: usize, scratch: usize,
): void {
  const addresses = scratch + ADDRESSES;
  let seen: u32 = 0;
  for (let i = low; i < high; i++) {
    let at = cache + <usize>load<u32>(scratch + CELLS + i * 4) * cellBytes;
    const end = at + storedBytes;
    for (; at < end; at += 64) seen |= load<u8>(at);
    seen |= load<u8>(end - 1);
  }
  store<u32>(scratch + SEEN, seen);
  for (let i = low; i < high; i++) {
    const stored = cache + <usize>load<u32>(scratch + CELLS + i * 4) * cellBytes;
    const decoded = scratch + ROWS + i * headBytes;
    if (type != F32) decode(type, stored, decoded, headBlocks);
    store<u32>(addresses + i * 4, <u32>(type == F32 ? stored : decoded));
  }
  for (let i: usize = 0; i < low; i++) store<u32>(addresses + i * 4, load<u32>(addresses + low * 4));
  for (let i = high; i < count; i++) store<u32>(addresses + i * 4, load<u32>(addresses + (high - 1) * 4));
}

/** scale · q · k of positions `low` … `high − 1`, and of what else is in their groups of four, for every query. */
export function score(queries: usize, low: usize, high: usize, headBytes: usize, scale: f32, scratch: usize): void {
  const factor = f32x4.splat(scale);
  for (let i = low & ~3; i < high; i += 4) {
    const addresses = scratch + ADDRESSES + i * 4;
    const k0: usize = load<u32>(addresses), k1: usize = load<u32>(addresses, 4);
    const k2: usize = load<u32>(addresses, 8), k3: usize = load<u32>(addresses, 12);
    const scores = scratch + SCORES + i * 4;
    let n: usize = 0;
    for (; n + 1 < queries; n += 2) {
      const q = vectorOf(queryAt(scratch, n)), r = vectorOf(queryAt(scratch, n + 1));
      let a = f32x4.splat(0), b = a, c = a, d = a, e = a, f = a, g = a, h = a;
      for (let at: usize = 0; at < headBytes; at += 16) {
        const x = v128.load(q + at), y = v128.load(r + at);
        const v0 = v128.load(k0 + at);
        a = f32x4.add(a, f32x4.mul(x, v0));
        e = f32x4.add(e, f32x4.mul(y, v0));
        const v1 = v128.load(k1 + at);
        b = f32x4.add(b, f32x4.mul(x, v1));
        f = f32x4.add(f, f32x4.mul(y, v1));
        const v2 = v128.load(k2 + at);
        c = f32x4.add(c, f32x4.mul(x, v2));
        g = f32x4.add(g, f32x4.mul(y, v2));
        const v3 = v128.load(k3 + at);
        d = f32x4.add(d, f32x4.mul(x, v3));
        h = f32x4.add(h, f32x4.mul(y, v3));
      }
      v128.store(scores + n * SCORE_BYTES, f32x4.mul(sums(a, b, c, d), factor));
      v128.store(scores + (n + 1) * SCORE_BYTES, f32x4.mul(sums(e, f, g, h), factor));
    }
    if (n < queries) {
      const q = vectorOf(queryAt(scratch, n));
      let a = f32x4.splat(0), b = a, c = a, d = a;
      for (let at: usize = 0; at < headBytes; at += 16) {
        const x = v128.load(q + at);
        a = f32x4.add(a, f32x4.mul(x, v128.load(k0 + at)));
        b = f32x4.add(b, f32x4.mul(x, v128.load(k1 + at)));
        c = f32x4.add(c, f32x4.mul(x, v128.load(k2 + at)));
        d = f32x4.add(d, f32x4.mul(x, v128.load(k3 + at)));
      }
      v128.store(scores + n * SCORE_BYTES, f32x4.mul(sums(a, b, c, d), factor));
    }
  }
}

/** cap · tanh(score / cap) of the same scores. */
export function capScores(queries: usize, low: usize, high: usize, cap: f32, scratch: usize): void {
  const c = f32x4.splat(cap);
  for (let n: usize = 0; n < queries; n++)
    for (let i = low & ~3; i < high; i += 4) {
      const at = scratch + SCORES + n * SCORE_BYTES + i * 4;
      v128.store(at, f32x4.mul(c, tanh4(f32x4.div(v128.load(at), c))));
    }
}

/**
 * Scores of the tile → e^(score − largest so far), 0 where the query does not look; what the span has summed up is scaled
 * down when a larger score appears.
 */
export function weigh(index: usize, valueBytes: usize, scratch: usize): void {
  const query = queryAt(scratch, index);
  const low = lowOf(query), high = highOf(query);
  if (low == high) return;
  const scores = scratch + SCORES + index * SCORE_BYTES;
  for (let i = low & ~3; i < low; i++) store<f32>(scores + i * 4, -Infinity);
  for (let i = high; i & 3; i++) store<f32>(scores + i * 4, -Infinity);
  const begin = scores + (low & ~3) * 4, end = scores + high * 4;

  let highest = f32x4.splat(-Infinity);
  for (let p = begin; p < end; p += 16) highest = f32x4.max(highest, v128.load(p));
  const tileLargest = maxLane(highest);
  const softmax = spanSoftmax(query);
  let now = largest(softmax);
  let before = total(softmax);
  if (!(tileLargest <= now)) {
    const shrink = exp1(now - tileLargest);
    before *= shrink;
    multiply(scratch + SUMS + index * valueBytes, valueBytes, shrink);
    now = tileLargest;
  }
  const shift = f32x4.splat(now);
  let sum = f64x2.splat(0);
  for (let p = begin; p < end; p += 16) {
    const weights = exp4(f32x4.sub(v128.load(p), shift));
    v128.store(p, weights);
    sum = addWide(sum, weights);
  }
  setSoftmax(softmax, now, before + wideSum(sum));
}

/** Adds Σ weight · value over the tile to the sums of every query. */
export function accumulate(queries: usize, valueBytes: usize, scratch: usize): void {
  for (let n: usize = 0; n < queries; n++) {
    const query = queryAt(scratch, n), next = queryAt(scratch, n + 1);
    const low = lowOf(query), high = highOf(query);
    if (low == high) continue;
    const weights = scratch + SCORES + n * SCORE_BYTES;
    const out = scratch + SUMS + n * valueBytes;
    const addresses = scratch + ADDRESSES;
    if (n + 1 < queries && lowOf(next) == low && highOf(next) == high) {
      accumulateTwo(out, valueBytes, weights, addresses, low, high);
      n++;
    } else accumulateOne(out, valueBytes, weights, addresses, low, high);
  }
}

function accumulateTwo(out: usize, valueBytes: usize, weights: usize, addresses: usize, low: usize, high: usize): void {
  const other = out + valueBytes;
  let at: usize = 0;
  for (; at + 64 <= valueBytes; at += 64) {
    let a = v128.load(out + at), b = v128.load(out + at, 16), c = v128.load(out + at, 32), d = v128.load(out + at, 48);
    let e = v128.load(other + at), f = v128.load(other + at, 16), g = v128.load(other + at, 32), h = v128.load(other + at, 48);
    for (let i = low; i < high; i++) {
      const value = <usize>load<u32>(addresses + i * 4) + at;
      const x = v128.load32_splat(weights + i * 4), y = v128.load32_splat(weights + i * 4, SCORE_BYTES);
      const v0 = v128.load(value);
      a = f32x4.add(a, f32x4.mul(x, v0));
      e = f32x4.add(e, f32x4.mul(y, v0));
      const v1 = v128.load(value, 16);
      b = f32x4.add(b, f32x4.mul(x, v1));
      f = f32x4.add(f, f32x4.mul(y, v1));
      const v2 = v128.load(value, 32);
      c = f32x4.add(c, f32x4.mul(x, v2));
      g = f32x4.add(g, f32x4.mul(y, v2));
      const v3 = v128.load(value, 48);
      d = f32x4.add(d, f32x4.mul(x, v3));
      h = f32x4.add(h, f32x4.mul(y, v3));
    }
    v128.store(out + at, a);
    v128.store(out + at, b, 16);
    v128.store(out + at, c, 32);
    v128.store(out + at, d, 48);
    v128.store(other + at, e);
    v128.store(other + at, f, 16);
    v128.store(other + at, g, 32);
    v128.store(other + at, h, 48);
  }
  accumulateRest(out, at, valueBytes, weights, addresses, low, high);
  accumulateRest(other, at, valueBytes, weights + SCORE_BYTES, addresses, low, high);
}

function accumulateOne(out: usize, valueBytes: usize, weights: usize, addresses: usize, low: usize, high: usize): void {
  let at: usize = 0;
  for (; at + 64 <= valueBytes; at += 64) {
    let a = v128.load(out + at), b = v128.load(out + at, 16), c = v128.load(out + at, 32), d = v128.load(out + at, 48);
    for (let i = low; i < high; i++) {
      const value = <usize>load<u32>(addresses + i * 4) + at;
      const x = v128.load32_splat(weights + i * 4);
      a = f32x4.add(a, f32x4.mul(x, v128.load(value)));
      b = f32x4.add(b, f32x4.mul(x, v128.load(value, 16)));
      c = f32x4.add(c, f32x4.mul(x, v128.load(value, 32)));
      d = f32x4.add(d, f32x4.mul(x, v128.load(value, 48)));
    }
    v128.store(out + at, a);
    v128.store(out + at, b, 16);
    v128.store(out + at, c, 32);
    v128.store(out + at, d, 48);
  }
  accumulateRest(out, at, valueBytes, weights, addresses, low, high);
}

/** The dimensions that do not fill sixteen. */
function accumulateRest(
  out: usize, at: usize, valueBytes: usize, weights: usize, addresses: usize, low: usize, high: usize,
): void {
  for (; at < valueBytes; at += 16) {
    let a = v128.load(out + at);
    for (let i = low; i < high; i++) {
      const value = v128.load(<usize>load<u32>(addresses + i * 4) + at);
      a = f32x4.add(a, f32x4.mul(v128.load32_splat(weights + i * 4), value));
    }
    v128.store(out + at, a);
  }
}

export function multiply(row: usize, bytes: usize, factor: f32): void {
  const f = f32x4.splat(factor);
  for (const end = row + bytes; row < end; row += 16) v128.store(row, f32x4.mul(v128.load(row), f));
}
