// Items are 16 columns of a head's state of a sequence: a column does not know of the others. Scratch holds k, q, the factors
// of decay and k times these, of the token at hand.
import { exp1, exp4 } from '../../wasm/exp.wasm';
import { addWide, loadLanes, storeLanes, wideSum } from '../../wasm/lanes.wasm';

// args: qkv, decay, beta, state, seq, slots, y, T, row, heads, kHeads, kDim, vDim, decays of a head, scale and normEps (f32), neighbours
@inline function headsOf(args: usize): usize { return load<u32>(args, 36); }
@inline function kDimOf(args: usize): usize { return load<u32>(args, 44); }
@inline function vDimOf(args: usize): usize { return load<u32>(args, 48); }

export function gatedDeltaRule(args: usize, begin: usize, end: usize, scratch: usize): void {
  const heads = headsOf(args), vDim = vDimOf(args);
  const parts = (vDim + 15) / 16;
  const tokens: usize = load<u32>(args, 28);
  const seq: usize = load<u32>(args, 16);
  for (let item = begin; item < end; item++) {
    const first = (item % parts) * 16;
    const head = (item / parts) % heads;
    const sequence = item / parts / heads;
    const slot = <usize>load<u32>(<usize>load<u32>(args, 20) + sequence * 4);
    const state = <usize>load<u32>(args, 12) + ((slot * heads + head) * kDimOf(args) * vDim + first) * 4;
    for (let t: usize = 0; t < tokens; t++) {
      if (<usize>load<u32>(seq + t * 4) != sequence) continue;
      prepare(args, t, head, scratch);
      const row = <usize>load<u32>(args) + (t * <usize>load<u32>(args, 32) + 2 * <usize>load<u32>(args, 40) * kDimOf(args)) * 4;
      const v = row + (head * vDim + first) * 4;
      const y = <usize>load<u32>(args, 24) + ((t * heads + head) * vDim + first) * 4;
      const beta = load<f32>(<usize>load<u32>(args, 8) + (t * heads + head) * 4);
      if (first + 16 <= vDim) updateSixteen(args, state, v, y, beta, scratch);
      else
        for (let j: usize = 0; first + j < vDim; j += 4)
          updateSome(args, state + j * 4, v + j * 4, y + j * 4, vDim - first - j, beta, scratch);
    }
  }
}

/** Puts what the columns share into scratch. */
function prepare(args: usize, token: usize, head: usize, scratch: usize): void {
  const kDim = kDimOf(args), kHeads: usize = load<u32>(args, 40), decays: usize = load<u32>(args, 52);
  const bytes = kDim * 4;
  const q = <usize>load<u32>(args) + (token * <usize>load<u32>(args, 32) + ((head / <usize>load<u32>(args, 64)) % kHeads) * kDim) * 4;
  const decay = <usize>load<u32>(args, 4) + (token * headsOf(args) + head) * decays * 4;
  normalise(q + kHeads * bytes, scratch, kDim, load<f32>(args, 60), 1);
  normalise(q, scratch + bytes, kDim, load<f32>(args, 60), load<f32>(args, 56));
  const same = f32x4.splat(exp1(load<f32>(decay)));
  for (let i: usize = 0; i < kDim; i += 4) {
    const count = kDim - i;
    const factor = decays == 1 ? same : exp4(loadLanes(decay + i * 4, count));
    storeLanes(scratch + 2 * bytes + i * 4, factor, count);
    storeLanes(scratch + 3 * bytes + i * 4, f32x4.mul(factor, loadLanes(scratch + i * 4, count)), count);
  }
}

function normalise(x: usize, into: usize, count: usize, eps: f32, scale: f32): void {
  let sum = f64x2.splat(0);
  for (let i: usize = 0; i < count; i += 4) {
    const v = loadLanes(x + i * 4, count - i);
    sum = addWide(sum, f32x4.mul(v, v));
  }
  const factor = f32x4.splat(<f32>(<f64>scale / sqrt(wideSum(sum) + <f64>eps)));
  for (let i: usize = 0; i < count; i += 4)
    storeLanes(into + i * 4, f32x4.mul(loadLanes(x + i * 4, count - i), factor), count - i);
}

function updateSixteen(args: usize, state: usize, v: usize, y: usize, beta: f32, scratch: usize): void {
  const bytes = kDimOf(args) * 4, rowBytes = vDimOf(args) * 4;
  let a = f32x4.splat(0), b = a, c = a, d = a;
  for (let i: usize = 0, at = state; i < bytes; i += 4, at += rowBytes) {
    const k = v128.load32_splat(scratch + 3 * bytes + i);
    a = f32x4.add(a, f32x4.mul(k, v128.load(at)));
    b = f32x4.add(b, f32x4.mul(k, v128.load(at, 16)));
    c = f32x4.add(c, f32x4.mul(k, v128.load(at, 32)));
    d = f32x4.add(d, f32x4.mul(k, v128.load(at, 48)));
  }
  const weight = f32x4.splat(beta);
  a = f32x4.mul(f32x4.sub(v128.load(v), a), weight);
  b = f32x4.mul(f32x4.sub(v128.load(v, 16), b), weight);
  c = f32x4.mul(f32x4.sub(v128.load(v, 32), c), weight);
  d = f32x4.mul(f32x4.sub(v128.load(v, 48), d), weight);
  let e = f32x4.splat(0), f = e, g = e, h = e;
  for (let i: usize = 0, at = state; i < bytes; i += 4, at += rowBytes) {
    const k = v128.load32_splat(scratch + i), q = v128.load32_splat(scratch + bytes + i);
    const factor = v128.load32_splat(scratch + 2 * bytes + i);
    const s0 = f32x4.add(f32x4.mul(factor, v128.load(at)), f32x4.mul(k, a));
    v128.store(at, s0);
    e = f32x4.add(e, f32x4.mul(q, s0));
    const s1 = f32x4.add(f32x4.mul(factor, v128.load(at, 16)), f32x4.mul(k, b));
    v128.store(at, s1, 16);
    f = f32x4.add(f, f32x4.mul(q, s1));
    const s2 = f32x4.add(f32x4.mul(factor, v128.load(at, 32)), f32x4.mul(k, c));
    v128.store(at, s2, 32);
    g = f32x4.add(g, f32x4.mul(q, s2));
    const s3 = f32x4.add(f32x4.mul(factor, v128.load(at, 48)), f32x4.mul(k, d));
    v128.store(at, s3, 48);
    h = f32x4.add(h, f32x4.mul(q, s3));
  }
  v128.store(y, e);
  v128.store(y, f, 16);
  v128.store(y, g, 32);
  v128.store(y, h, 48);
}

/** The same of up to four columns at the end of a row. */
function updateSome(args: usize, state: usize, v: usize, y: usize, count: usize, beta: f32, scratch: usize): void {
  const bytes = kDimOf(args) * 4, rowBytes = vDimOf(args) * 4;
  let known = f32x4.splat(0);
  for (let i: usize = 0, at = state; i < bytes; i += 4, at += rowBytes)
    known = f32x4.add(known, f32x4.mul(v128.load32_splat(scratch + 3 * bytes + i), loadLanes(at, count)));
  const delta = f32x4.mul(f32x4.sub(loadLanes(v, count), known), f32x4.splat(beta));
  let sum = f32x4.splat(0);
  for (let i: usize = 0, at = state; i < bytes; i += 4, at += rowBytes) {
    const kept = f32x4.mul(v128.load32_splat(scratch + 2 * bytes + i), loadLanes(at, count));
    const now = f32x4.add(kept, f32x4.mul(v128.load32_splat(scratch + i), delta));
    storeLanes(at, now, count);
    sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(scratch + bytes + i), now));
  }
  storeLanes(y, sum, count);
}
