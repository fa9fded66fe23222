// Items are tokens.
import { exp1, exp4 } from '../../wasm/exp.wasm';
import { addWide, wideSum } from '../../wasm/lanes.wasm';
import { rowMax } from '../../wasm/row-max.wasm';

/** args: logits, ids, y, E, used, all (1) or chosen (0) */
export function routeWeights(args: usize, begin: usize, end: usize, scratch: usize): void {
  const experts: usize = load<u32>(args, 12);
  const used: usize = load<u32>(args, 16);
  for (let t = begin; t < end; t++) {
    const logits = <usize>load<u32>(args) + t * experts * 4;
    const ids = <usize>load<u32>(args, 4) + t * used * 4;
    const y = <usize>load<u32>(args, 8) + t * used * 4;
    for (let n: usize = 0; n < used; n++) store<f32>(y + n * 4, load<f32>(logits + <usize>load<u32>(ids + n * 4) * 4));
    const among = load<u32>(args, 20) ? logits : y;
    const count = load<u32>(args, 20) ? experts : used;
    const max = rowMax(among, count);
    const factor = <f32>(1 / sumOfPowers(among, count, max));
    for (let n: usize = 0; n < used; n++) store<f32>(y + n * 4, exp1(load<f32>(y + n * 4) - max) * factor);
  }
}

/** Σ e^(x − max) of `count` floats. */
function sumOfPowers(x: usize, count: usize, max: f32): f64 {
  const shift = f32x4.splat(max);
  let total = f64x2.splat(0);
  let i: usize = 0;
  for (; i + 4 <= count; i += 4) total = addWide(total, exp4(f32x4.sub(v128.load(x + i * 4), shift)));
  for (; i < count; i++) total = f64x2.replace_lane(total, 0, f64x2.extract_lane(total, 0) + <f64>exp1(load<f32>(x + i * 4) - max));
  return wideSum(total);
}
