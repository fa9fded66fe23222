// Scores of a router's logits, numbered as in ops/router-scores.ts; what is beyond are the logits themselves.
import { sigmoid4, softplus4 } from './acts.wasm';
import { exp1, exp4 } from './exp.wasm';
import { addWide, loadLanes, storeLanes, wideSum } from './lanes.wasm';
import { rowMax } from './row-max.wasm';

const SOFTMAX: u32 = 0;
const SIGMOID: u32 = 1;
const SQRT_SOFTPLUS: u32 = 2;

/** Scores of `count` logits. */
export function scoreRow(score: u32, logits: usize, into: usize, count: usize): void {
  if (score > SQRT_SOFTPLUS) {
    memory.copy(into, logits, count * 4);
    return;
  }
  if (score == SOFTMAX) {
    const max = rowMax(logits, count);
    const shift = f32x4.splat(max), factor = f32x4.splat(<f32>(1 / sumOfPowers(logits, count, max)));
    for (let i: usize = 0; i < count; i += 4)
      storeLanes(into + i * 4, f32x4.mul(exp4(f32x4.sub(loadLanes(logits + i * 4, count - i), shift)), factor), count - i);
    return;
  }
  for (let i: usize = 0; i < count; i += 4) {
    const x = loadLanes(logits + i * 4, count - i);
    storeLanes(into + i * 4, score == SIGMOID ? sigmoid4(x) : f32x4.sqrt(softplus4(x)), count - i);
  }
}

/** Σ e^(x − max) of `count` floats. */
export function sumOfPowers(x: usize, count: usize, max: f32): f64 {
  const shift = f32x4.splat(max);
  let total = f64x2.splat(0);
  let i: usize = 0;
  for (; i + 4 <= count; i += 4) total = addWide(total, exp4(f32x4.sub(v128.load(x + i * 4), shift)));
  for (; i < count; i++) total = f64x2.replace_lane(total, 0, f64x2.extract_lane(total, 0) + <f64>exp1(load<f32>(x + i * 4) - max));
  return wideSum(total);
}
