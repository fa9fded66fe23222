// Items are vectors of four elements.
import { act4, sigmoid4 } from '../../wasm/acts.wasm';
import { loadLanes, storeLanes } from '../../wasm/lanes.wasm';

/** args: gate, up, y, act, elements, limit, alpha and offset (f32) */
export function gatedAct(args: usize, begin: usize, end: usize, scratch: usize): void {
  const gate: usize = load<u32>(args);
  const up: usize = load<u32>(args, 4);
  const y: usize = load<u32>(args, 8);
  const act = load<u32>(args, 12);
  const elements: usize = load<u32>(args, 16);
  const limit = v128.load32_splat(args, 20), alpha = v128.load32_splat(args, 24), offset = v128.load32_splat(args, 28);
  const least = f32x4.neg(limit);
  for (let i = begin * 4; i < min(end * 4, elements); i += 4) {
    const count = elements - i;
    const g = f32x4.pmin(loadLanes(gate + i * 4, count), limit);
    const u = f32x4.pmin(f32x4.pmax(loadLanes(up + i * 4, count), least), limit);
    const acted = act == 0 ? f32x4.mul(g, sigmoid4(f32x4.mul(g, alpha))) : act4(act, g);
    storeLanes(y + i * 4, f32x4.mul(acted, f32x4.add(u, offset)), count);
  }
}
