// Items are vectors of four elements. gelu's tanh form is g · sigmoid(2·√(2/π)·(g + 0.044715 g³)), so both acts are g · sigmoid(u).
import { exp4 } from '../../wasm/exp.wasm';
import { loadLanes, storeLanes } from '../../wasm/lanes.wasm';

/** args: gate, up, y, gelu (0 or 1), elements */
export function gatedAct(args: usize, begin: usize, end: usize, scratch: usize): void {
  const gate: usize = load<u32>(args);
  const up: usize = load<u32>(args, 4);
  const y: usize = load<u32>(args, 8);
  const gelu = load<u32>(args, 12);
  const one = f32x4.splat(1);
  const elements: usize = load<u32>(args, 16);
  for (let i = begin * 4; i < min(end * 4, elements); i += 4) {
    const count = elements - i;
    const g = loadLanes(gate + i * 4, count);
    const u = gelu ? geluInner(g) : g;
    const act = f32x4.div(g, f32x4.add(one, exp4(f32x4.neg(u))));
    storeLanes(y + i * 4, f32x4.mul(act, loadLanes(up + i * 4, count)), count);
  }
}

@inline
function geluInner(g: v128): v128 {
  const cubic = f32x4.mul(f32x4.mul(f32x4.mul(g, g), g), f32x4.splat(0.044715));
  return f32x4.mul(f32x4.add(g, cubic), f32x4.splat(1.5957691216));
}
