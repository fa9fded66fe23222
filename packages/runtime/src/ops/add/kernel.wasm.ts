// Items are vectors of four elements.
import { loadLanes, storeLanes } from '../../wasm/lanes.wasm';

/** args: a, b, y, elements */
export function add(args: usize, begin: usize, end: usize, scratch: usize): void {
  const a: usize = load<u32>(args);
  const b: usize = load<u32>(args, 4);
  const y: usize = load<u32>(args, 8);
  const elements: usize = load<u32>(args, 12);
  for (let i = begin * 4; i < min(end * 4, elements); i += 4) {
    const count = elements - i;
    storeLanes(y + i * 4, f32x4.add(loadLanes(a + i * 4, count), loadLanes(b + i * 4, count)), count);
  }
}
