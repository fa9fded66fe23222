// Items are rows.
import { logOfSum } from '../../wasm/log-of-sum.wasm';
import { rowMax } from '../../wasm/row-max.wasm';

/** args: logits, targets, y, V */
export function logProb(args: usize, begin: usize, end: usize, scratch: usize): void {
  const cols: usize = load<u32>(args, 12);
  for (let n = begin; n < end; n++) {
    const row = <usize>load<u32>(args) + n * cols * 4;
    const highest = rowMax(row, cols);
    const target = load<f32>(row + <usize>load<u32>(<usize>load<u32>(args, 4) + n * 4) * 4);
    const logProb = <f64>target - <f64>highest - logOfSum(row, cols, highest);
    store<f32>(<usize>load<u32>(args, 8) + n * 4, <f32>logProb);
  }
}
