// Items are rows. e^x in f32, its sum and the logarithm in f64, as llama-perplexity's log_softmax has it.
import { exp4 } from '../../wasm/exp.wasm';
import { addWide, wideSum } from '../../wasm/lanes.wasm';
import { rowMax } from '../../wasm/row-max.wasm';

/** args: logits, targets, y, V */
export function logProb(args: usize, begin: usize, end: usize, scratch: usize): void {
  const cols: usize = load<u32>(args, 12);
  for (let n = begin; n < end; n++) {
    const row = <usize>load<u32>(args) + n * cols * 4;
    const highest = rowMax(row, cols);
    const shift = f32x4.splat(highest);
    let sum = f64x2.splat(0);
    let p = row;
    for (const whole = row + (cols & ~3) * 4; p < whole; p += 16) sum = addWide(sum, exp4(f32x4.sub(v128.load(p), shift)));
    let total = wideSum(sum);
    for (const rowEnd = row + cols * 4; p < rowEnd; p += 4)
      total += <f64>f32x4.extract_lane(exp4(f32x4.sub(v128.load32_splat(p), shift)), 0);
    const target = load<f32>(row + <usize>load<u32>(<usize>load<u32>(args, 4) + n * 4) * 4);
    store<f32>(<usize>load<u32>(args, 8) + n * 4, <f32>(<f64>target - <f64>highest - Math.log(total)));
  }
}
