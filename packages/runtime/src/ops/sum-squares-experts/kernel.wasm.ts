// Items are 16 columns of all experts.
import { loadLanes, storeLanes } from '../../wasm/lanes.wasm';

/** args: x, ids, sums, slots, slots per row of x, C */
export function sumSquaresExperts(args: usize, begin: usize, end: usize, scratch: usize): void {
  const slots: usize = load<u32>(args, 12);
  const slotsPerRow: usize = load<u32>(args, 16);
  const cols: usize = load<u32>(args, 20);
  for (let item = begin; item < end; item++) {
    const first = item * 16;
    const last = min(first + 16, cols);
    for (let slot: usize = 0; slot < slots; slot++) {
      const expert: usize = load<u32>(<usize>load<u32>(args, 4) + slot * 4);
      const x = <usize>load<u32>(args) + (slot / slotsPerRow) * cols * 4;
      const sums = <usize>load<u32>(args, 8) + expert * cols * 4;
      for (let c = first; c < last; c += 4) {
        const v = loadLanes(x + c * 4, cols - c);
        storeLanes(sums + c * 4, f32x4.add(loadLanes(sums + c * 4, cols - c), f32x4.mul(v, v)), cols - c);
      }
    }
  }
}
