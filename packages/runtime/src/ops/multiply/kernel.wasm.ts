// Items are rows.
import { loadLanes, storeLanes } from '../../wasm/lanes.wasm';

/** args: x, by, y, C, numbers from one row of by to the next, numbers of its rows */
export function multiply(args: usize, begin: usize, end: usize, scratch: usize): void {
  const cols: usize = load<u32>(args, 12);
  const step: usize = load<u32>(args, 16);
  const single = load<u32>(args, 20) == 1;
  for (let n = begin; n < end; n++) {
    const x = <usize>load<u32>(args) + n * cols * 4;
    const by = <usize>load<u32>(args, 4) + n * step * 4;
    const y = <usize>load<u32>(args, 8) + n * cols * 4;
    const factor = v128.load32_splat(by);
    for (let c: usize = 0; c < cols; c += 4) {
      const count = cols - c;
      storeLanes(y + c * 4, f32x4.mul(loadLanes(x + c * 4, count), single ? factor : loadLanes(by + c * 4, count)), count);
    }
  }
}
