// Items are rows.
import { logOfSum } from '../../wasm/log-of-sum.wasm';
import { rowMax } from '../../wasm/row-max.wasm';

/** args: x, y, C */
export function logSumExp(args: usize, begin: usize, end: usize, scratch: usize): void {
  const cols: usize = load<u32>(args, 8);
  for (let n = begin; n < end; n++) {
    const row = <usize>load<u32>(args) + n * cols * 4;
    const highest = rowMax(row, cols);
    store<f32>(<usize>load<u32>(args, 4) + n * 4, <f32>(<f64>highest + logOfSum(row, cols, highest)));
  }
}
