// ln Σ e^(x − highest) of a row. e^x in f32, its sum and the logarithm in f64, as llama-perplexity's log_softmax has it.
import { exp4 } from './exp.wasm';
import { addWide, wideSum } from './lanes.wasm';

export function logOfSum(row: usize, cols: usize, highest: f32): f64 {
  const shift = f32x4.splat(highest);
  let sum = f64x2.splat(0);
  let p = row;
  for (const whole = row + (cols & ~3) * 4; p < whole; p += 16) sum = addWide(sum, exp4(f32x4.sub(v128.load(p), shift)));
  let total = wideSum(sum);
  for (const rowEnd = row + cols * 4; p < rowEnd; p += 4)
    total += <f64>f32x4.extract_lane(exp4(f32x4.sub(v128.load32_splat(p), shift)), 0);
  return Math.log(total);
}
