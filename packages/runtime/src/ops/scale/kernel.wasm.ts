// Items are vectors of four elements.
import { loadLanes, storeLanes } from '../../wasm/lanes.wasm';

/** args: x, y, factor (f32), elements */
export function scale(args: usize, begin: usize, end: usize, scratch: usize): void {
  const x: usize = load<u32>(args);
  const y: usize = load<u32>(args, 4);
  const factor = f32x4.splat(load<f32>(args, 8));
  const elements: usize = load<u32>(args, 12);
  for (let i = begin * 4; i < min(end * 4, elements); i += 4) {
    const count = elements - i;
    storeLanes(y + i * 4, f32x4.mul(loadLanes(x + i * 4, count), factor), count);
  }
}
