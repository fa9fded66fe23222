// Items are tokens.
import { exp1 } from '../../wasm/exp.wasm';
import { scoreRow, sumOfPowers } from '../../wasm/router-scores.wasm';
import { rowMax } from '../../wasm/row-max.wasm';

/** args: logits, ids, expertScale or 0, y, E, used, all (1) or chosen (0), score, scale (f32) */
export function routeWeights(args: usize, begin: usize, end: usize, scratch: usize): void {
  const experts: usize = load<u32>(args, 16);
  const used: usize = load<u32>(args, 20);
  const all = load<u32>(args, 24) != 0;
  const score = load<u32>(args, 28);
  const scales: usize = load<u32>(args, 8);
  for (let t = begin; t < end; t++) {
    const logits = <usize>load<u32>(args) + t * experts * 4;
    const ids = <usize>load<u32>(args, 4) + t * used * 4;
    const y = <usize>load<u32>(args, 12) + t * used * 4;
    for (let n: usize = 0; n < used; n++) store<f32>(y + n * 4, load<f32>(logits + <usize>load<u32>(ids + n * 4) * 4));
    if (score == 0) softmaxOf(all ? logits : y, all ? experts : used, y, used);
    else scoreChosen(score, y, used, all);
    for (let n: usize = 0; n < used; n++) {
      let factor = load<f32>(args, 32);
      if (scales) factor *= load<f32>(scales + <usize>load<u32>(ids + n * 4) * 4);
      store<f32>(y + n * 4, load<f32>(y + n * 4) * factor);
    }
  }
}

/** y, logits at first, in the softmax over `count` of them. */
function softmaxOf(among: usize, count: usize, y: usize, used: usize): void {
  const max = rowMax(among, count);
  const factor = <f32>(1 / sumOfPowers(among, count, max));
  for (let n: usize = 0; n < used; n++) store<f32>(y + n * 4, exp1(load<f32>(y + n * 4) - max) * factor);
}

function scoreChosen(score: u32, y: usize, used: usize, all: bool): void {
  scoreRow(score, y, y, used);
  if (all) return;
  let total: f64 = 1e-20;
  for (let n: usize = 0; n < used; n++) total += <f64>load<f32>(y + n * 4);
  for (let n: usize = 0; n < used; n++) store<f32>(y + n * 4, <f32>(<f64>load<f32>(y + n * 4) / total));
}
