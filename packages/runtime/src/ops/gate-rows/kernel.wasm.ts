// Items are rows.
import { exp1 } from '../../wasm/exp.wasm';
import { loadLanes, storeLanes } from '../../wasm/lanes.wasm';

/** args: x, gate, y, C */
export function gateRows(args: usize, begin: usize, end: usize, scratch: usize): void {
  const cols: usize = load<u32>(args, 12);
  for (let n = begin; n < end; n++) {
    const x = <usize>load<u32>(args) + n * cols * 4;
    const y = <usize>load<u32>(args, 8) + n * cols * 4;
    const factor = f32x4.splat(1 / (1 + exp1(-load<f32>(<usize>load<u32>(args, 4) + n * 4))));
    for (let c: usize = 0; c < cols; c += 4)
      storeLanes(y + c * 4, f32x4.mul(loadLanes(x + c * 4, cols - c), factor), cols - c);
  }
}
