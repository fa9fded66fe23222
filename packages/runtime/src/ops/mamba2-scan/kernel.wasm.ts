// Items are heads of a sequence.
import { softplus4 } from '../../wasm/acts.wasm';
import { exp1 } from '../../wasm/exp.wasm';
import { loadLanes, storeLanes, sums } from '../../wasm/lanes.wasm';

// args: xbc, dt, a, d, state, seq, slots, y, T, row, heads, headDim, stateDim, groups, dtMin and dtMax (f32)
export function mamba2Scan(args: usize, begin: usize, end: usize, scratch: usize): void {
  const tokens: usize = load<u32>(args, 32), heads: usize = load<u32>(args, 40);
  const headDim: usize = load<u32>(args, 44), stateDim: usize = load<u32>(args, 48), groups: usize = load<u32>(args, 52);
  const seq: usize = load<u32>(args, 20);
  for (let item = begin; item < end; item++) {
    const head = item % heads, sequence = item / heads;
    const slot = <usize>load<u32>(<usize>load<u32>(args, 24) + sequence * 4);
    const state = <usize>load<u32>(args, 16) + (slot * heads + head) * headDim * stateDim * 4;
    const a = load<f32>(<usize>load<u32>(args, 8) + head * 4), d = load<f32>(<usize>load<u32>(args, 12) + head * 4);
    for (let t: usize = 0; t < tokens; t++) {
      if (<usize>load<u32>(seq + t * 4) != sequence) continue;
      const row = <usize>load<u32>(args) + t * <usize>load<u32>(args, 36) * 4;
      const b = row + (heads * headDim + ((head * groups) / heads) * stateDim) * 4;
      const raw = load<f32>(<usize>load<u32>(args, 4) + (t * heads + head) * 4);
      const bounded = f32x4.pmin(f32x4.pmax(softplus4(f32x4.splat(raw)), v128.load32_splat(args, 56)), v128.load32_splat(args, 60));
      const step = f32x4.extract_lane(bounded, 0);
      const x = row + head * headDim * 4;
      const y = <usize>load<u32>(args, 28) + (t * heads + head) * headDim * 4;
      for (let i: usize = 0; i < headDim; i++) {
        const value = load<f32>(x + i * 4);
        const sum = updateRow(state + i * stateDim * 4, b, b + groups * stateDim * 4, stateDim, exp1(step * a), step * value);
        store<f32>(y + i * 4, d * value + sum);
      }
    }
  }
}

/** state = factor · state + added · b; returns state · c. */
function updateRow(state: usize, b: usize, c: usize, count: usize, factor: f32, added: f32): f32 {
  const f = f32x4.splat(factor), g = f32x4.splat(added), zero = f32x4.splat(0);
  let p = zero, q = zero;
  let n: usize = 0;
  for (; n + 8 <= count; n += 8) {
    const s = f32x4.add(f32x4.mul(f, v128.load(state + n * 4)), f32x4.mul(g, v128.load(b + n * 4)));
    const r = f32x4.add(f32x4.mul(f, v128.load(state + n * 4, 16)), f32x4.mul(g, v128.load(b + n * 4, 16)));
    v128.store(state + n * 4, s);
    v128.store(state + n * 4, r, 16);
    p = f32x4.add(p, f32x4.mul(s, v128.load(c + n * 4)));
    q = f32x4.add(q, f32x4.mul(r, v128.load(c + n * 4, 16)));
  }
  for (; n < count; n += 4) {
    const s = f32x4.add(f32x4.mul(f, loadLanes(state + n * 4, count - n)), f32x4.mul(g, loadLanes(b + n * 4, count - n)));
    storeLanes(state + n * 4, s, count - n);
    p = f32x4.add(p, f32x4.mul(s, loadLanes(c + n * 4, count - n)));
  }
  return f32x4.extract_lane(sums(f32x4.add(p, q), zero, zero, zero), 0);
}
