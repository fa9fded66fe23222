// One group of a row per item; the sum of squares in f64, as ggml does.
import { addWide, loadLanes, storeLanes, wideSum } from '../../wasm/lanes.wasm';

/** args: x, weight or 0, y, numbers of a group, eps (f32), groups of a row */
export function rmsNorm(args: usize, begin: usize, end: usize, scratch: usize): void {
  const cols: usize = load<u32>(args, 12);
  const eps = load<f32>(args, 16);
  const groups: usize = load<u32>(args, 20);
  const whole = cols & ~3;
  const rest = cols & 3;
  for (let item = begin; item < end; item++) {
    const x = <usize>load<u32>(args) + item * cols * 4;
    const y = <usize>load<u32>(args, 8) + item * cols * 4;
    const weights: usize = load<u32>(args, 4);
    let sum = f64x2.splat(0);
    for (let p = x; p < x + whole * 4; p += 16) {
      const v = v128.load(p);
      sum = addWide(sum, f32x4.mul(v, v));
    }
    if (rest) {
      const v = loadLanes(x + whole * 4, rest);
      sum = addWide(sum, f32x4.mul(v, v));
    }
    const factor = f32x4.splat(<f32>(1 / sqrt(wideSum(sum) / <f64>cols + <f64>eps)));
    if (weights) scaleWeighted(x, weights + (item % groups) * cols * 4, y, whole, rest, factor);
    else scale(x, y, whole, rest, factor);
  }
}

function scaleWeighted(x: usize, weight: usize, y: usize, whole: usize, rest: usize, factor: v128): void {
  for (let i: usize = 0; i < whole * 4; i += 16)
    v128.store(y + i, f32x4.mul(f32x4.mul(v128.load(x + i), factor), v128.load(weight + i)));
  if (rest) {
    const v = f32x4.mul(loadLanes(x + whole * 4, rest), factor);
    storeLanes(y + whole * 4, f32x4.mul(v, loadLanes(weight + whole * 4, rest)), rest);
  }
}

function scale(x: usize, y: usize, whole: usize, rest: usize, factor: v128): void {
  for (let i: usize = 0; i < whole * 4; i += 16) v128.store(y + i, f32x4.mul(v128.load(x + i), factor));
  if (rest) storeLanes(y + whole * 4, f32x4.mul(loadLanes(x + whole * 4, rest), factor), rest);
}
