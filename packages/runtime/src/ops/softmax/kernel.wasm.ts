// Items are rows.
import { exp4 } from '../../wasm/exp.wasm';
import { addWide, loadLanes, storeLanes, wideSum } from '../../wasm/lanes.wasm';
import { rowMax } from '../../wasm/row-max.wasm';

/** args: x, y, C */
export function softmax(args: usize, begin: usize, end: usize, scratch: usize): void {
  const cols: usize = load<u32>(args, 8);
  for (let row = begin; row < end; row++) {
    const x = <usize>load<u32>(args) + row * cols * 4;
    const y = <usize>load<u32>(args, 4) + row * cols * 4;
    const shift = f32x4.splat(rowMax(x, cols));
    let total = f64x2.splat(0);
    for (let i: usize = 0; i < cols; i += 4) {
      const count = cols - i;
      storeLanes(y + i * 4, exp4(f32x4.sub(loadLanes(x + i * 4, count), shift)), count);
      total = addWide(total, loadLanes(y + i * 4, count));
    }
    const factor = f32x4.splat(<f32>(1 / wideSum(total)));
    for (let i: usize = 0; i < cols; i += 4)
      storeLanes(y + i * 4, f32x4.mul(loadLanes(y + i * 4, cols - i), factor), cols - i);
  }
}
