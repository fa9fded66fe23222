// Items are slots.
import { loadLanes, storeLanes } from '../../wasm/lanes.wasm';

/** args: x, bias, ids, y, R */
export function addExpertBias(args: usize, begin: usize, end: usize, scratch: usize): void {
  const cols: usize = load<u32>(args, 16);
  for (let slot = begin; slot < end; slot++) {
    const x = <usize>load<u32>(args) + slot * cols * 4;
    const y = <usize>load<u32>(args, 12) + slot * cols * 4;
    const bias = <usize>load<u32>(args, 4) + <usize>load<u32>(<usize>load<u32>(args, 8) + slot * 4) * cols * 4;
    for (let c: usize = 0; c < cols; c += 4)
      storeLanes(y + c * 4, f32x4.add(loadLanes(x + c * 4, cols - c), loadLanes(bias + c * 4, cols - c)), cols - c);
  }
}
