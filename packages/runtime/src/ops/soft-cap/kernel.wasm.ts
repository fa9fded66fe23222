// Items are vectors of four elements.
import { loadLanes, storeLanes } from '../../wasm/lanes.wasm';
import { tanh4 } from '../../wasm/tanh.wasm';

/** args: x, y, cap (f32), elements */
export function softCap(args: usize, begin: usize, end: usize, scratch: usize): void {
  const x: usize = load<u32>(args);
  const y: usize = load<u32>(args, 4);
  const cap = v128.load32_splat(args, 8);
  const elements: usize = load<u32>(args, 12);
  for (let i = begin * 4; i < min(end * 4, elements); i += 4) {
    const v = loadLanes(x + i * 4, elements - i);
    storeLanes(y + i * 4, f32x4.mul(cap, tanh4(f32x4.div(v, cap))), elements - i);
  }
}
