// One row per item; mean and variance in f64.
import { addWide, loadLanes, storeLanes, wideSum } from '../../wasm/lanes.wasm';

/** args: x, weight or 0, bias or 0, y, C, eps (f32) */
export function layerNorm(args: usize, begin: usize, end: usize, scratch: usize): void {
  const weight: usize = load<u32>(args, 4);
  const bias: usize = load<u32>(args, 8);
  const cols: usize = load<u32>(args, 16);
  for (let row = begin; row < end; row++) {
    const x = <usize>load<u32>(args) + row * cols * 4;
    const y = <usize>load<u32>(args, 12) + row * cols * 4;
    const mean = meanOf(x, cols);
    const factor = f32x4.splat(<f32>(1 / sqrt(varianceOf(x, cols, mean) + <f64>load<f32>(args, 20))));
    const shift = f32x4.splat(<f32>mean);
    for (let c: usize = 0; c < cols; c += 4) {
      const count = cols - c;
      let v = f32x4.mul(f32x4.sub(loadLanes(x + c * 4, count), shift), factor);
      if (weight) v = f32x4.mul(v, loadLanes(weight + c * 4, count));
      if (bias) v = f32x4.add(v, loadLanes(bias + c * 4, count));
      storeLanes(y + c * 4, v, count);
    }
  }
}

function meanOf(x: usize, cols: usize): f64 {
  let sum = f64x2.splat(0);
  for (let c: usize = 0; c < cols; c += 4) sum = addWide(sum, loadLanes(x + c * 4, cols - c));
  return wideSum(sum) / <f64>cols;
}

function varianceOf(x: usize, cols: usize, mean: f64): f64 {
  const shift = f32x4.splat(<f32>mean);
  const whole = cols & ~3;
  let sum = f64x2.splat(0);
  for (let c: usize = 0; c < whole; c += 4) {
    const v = f32x4.sub(v128.load(x + c * 4), shift);
    sum = addWide(sum, f32x4.mul(v, v));
  }
  let total = wideSum(sum);
  for (let c = whole; c < cols; c++) {
    const v = <f64>load<f32>(x + c * 4) - mean;
    total += v * v;
  }
  return total / <f64>cols;
}
