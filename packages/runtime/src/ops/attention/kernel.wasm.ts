// One (token, head) per item. Positions are visited in tiles of 64 with a running maximum and sum (online softmax), so
// scratch does not grow with the context; the output row itself holds the running weighted sum of values.
import { exp1, exp4 } from '../../wasm/exp.wasm';
import { addWide, maxLane, sums, wideSum } from '../../wasm/lanes.wasm';

const TILE: usize = 64;
// Scratch: byte offset in the cache of each position of the tile, then their scores.
const SCORES: usize = TILE * 4;

/** args: q, kCache, vCache, blockTable, seq, pos, y, heads, kvHeads, headDim, maxBlocks, blockTokens, window, scale (f32) */
export function attention(args: usize, begin: usize, end: usize, scratch: usize): void {
  const heads: usize = load<u32>(args, 28);
  const kvHeads: usize = load<u32>(args, 32);
  const headBytes: usize = load<u32>(args, 36) * 4;
  const kvBytes = kvHeads * headBytes;
  for (let item = begin; item < end; item++) {
    const token = item / heads;
    const kvHead = (item % heads) / (heads / kvHeads);
    const query = <usize>load<u32>(args) + item * headBytes;
    const keys = <usize>load<u32>(args, 4) + kvHead * headBytes;
    const values = <usize>load<u32>(args, 8) + kvHead * headBytes;
    const out = <usize>load<u32>(args, 24) + item * headBytes;
    const last: usize = load<u32>(<usize>load<u32>(args, 20) + token * 4);
    const window: usize = load<u32>(args, 48);
    memory.fill(out, 0, headBytes);
    let highest: f32 = -Infinity;
    let total: f64 = 0;
    for (let from = last >= window ? last - window + 1 : 0; from <= last; from += TILE) {
      const count = min(TILE, last - from + 1);
      locate(args, token, from, count, kvBytes, scratch);
      const tileMax = score(query, keys, headBytes, count, load<f32>(args, 52), scratch);
      if (!(tileMax <= highest)) {
        const shrink = exp1(highest - tileMax);
        total *= shrink;
        multiply(out, headBytes, shrink);
        highest = tileMax;
      }
      total += weigh(count, highest, scratch);
      accumulate(out, values, headBytes, count, scratch);
    }
    multiply(out, headBytes, <f32>(1 / total));
  }
}

/** Byte offsets of the cells of positions `from` …; the last one is repeated up to a multiple of four. */
function locate(args: usize, token: usize, from: usize, count: usize, kvBytes: usize, scratch: usize): void {
  const blockTokens: usize = load<u32>(args, 44);
  const seq: usize = load<u32>(<usize>load<u32>(args, 16) + token * 4);
  const table = <usize>load<u32>(args, 12) + seq * load<u32>(args, 40) * 4;
  for (let i: usize = 0; i < ((count + 3) & ~3); i++) {
    const position = from + min(i, count - 1);
    const block: usize = load<u32>(table + (position / blockTokens) * 4);
    store<u32>(scratch + i * 4, <u32>((block * blockTokens + (position % blockTokens)) * kvBytes));
  }
}

/** scale · q · k for the tile, −Infinity in the padding; returns the largest. */
function score(query: usize, keys: usize, headBytes: usize, count: usize, scale: f32, scratch: usize): f32 {
  let highest = f32x4.splat(-Infinity);
  const factor = f32x4.splat(scale);
  for (let i: usize = 0; i < count; i += 4) {
    const cells = scratch + i * 4;
    let k0 = keys + load<u32>(cells), k1 = keys + load<u32>(cells, 4);
    let k2 = keys + load<u32>(cells, 8), k3 = keys + load<u32>(cells, 12);
    let a = f32x4.splat(0), b = a, c = a, d = a;
    for (let q = query; q < query + headBytes; q += 16) {
      const v = v128.load(q);
      a = f32x4.add(a, f32x4.mul(v, v128.load(k0)));
      b = f32x4.add(b, f32x4.mul(v, v128.load(k1)));
      c = f32x4.add(c, f32x4.mul(v, v128.load(k2)));
      d = f32x4.add(d, f32x4.mul(v, v128.load(k3)));
      k0 += 16; k1 += 16; k2 += 16; k3 += 16;
    }
    const scores = f32x4.mul(sums(a, b, c, d), factor);
    highest = f32x4.max(highest, scores); // the padding repeats a real position
    v128.store(scratch + SCORES + i * 4, scores);
  }
  for (let i = count; i & 3; i++) store<f32>(scratch + SCORES + i * 4, -Infinity);
  return maxLane(highest);
}

/** Scores → e^(score − highest), in place; returns their sum. */
function weigh(count: usize, highest: f32, scratch: usize): f64 {
  const shift = f32x4.splat(highest);
  let total = f64x2.splat(0);
  const end = scratch + SCORES + count * 4;
  for (let p = scratch + SCORES; p < end; p += 16) {
    const weights = exp4(f32x4.sub(v128.load(p), shift));
    v128.store(p, weights);
    total = addWide(total, weights);
  }
  return wideSum(total);
}

/** out += Σ weight · value over the tile. */
function accumulate(out: usize, values: usize, headBytes: usize, count: usize, scratch: usize): void {
  for (let i: usize = 0; i < count; i += 4) {
    const cells = scratch + i * 4;
    let v0 = values + load<u32>(cells), v1 = values + load<u32>(cells, 4);
    let v2 = values + load<u32>(cells, 8), v3 = values + load<u32>(cells, 12);
    const weights = scratch + SCORES + i * 4;
    const a = v128.load32_splat(weights), b = v128.load32_splat(weights, 4);
    const c = v128.load32_splat(weights, 8), d = v128.load32_splat(weights, 12);
    for (let o = out; o < out + headBytes; o += 16) {
      const first = f32x4.add(f32x4.mul(a, v128.load(v0)), f32x4.mul(b, v128.load(v1)));
      const second = f32x4.add(f32x4.mul(c, v128.load(v2)), f32x4.mul(d, v128.load(v3)));
      v128.store(o, f32x4.add(v128.load(o), f32x4.add(first, second)));
      v0 += 16; v1 += 16; v2 += 16; v3 += 16;
    }
  }
}

function multiply(row: usize, bytes: usize, factor: f32): void {
  const f = f32x4.splat(factor);
  for (const end = row + bytes; row < end; row += 16) v128.store(row, f32x4.mul(v128.load(row), f));
}
