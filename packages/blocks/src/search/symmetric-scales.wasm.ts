// The search of symmetric.ts on the sixteen scales of one block, which Q3_K stores that way under importance. A lane is a step
// size: of these searches none starts from what another found.
import { nearestInt4 } from '../rounding.wasm';
import { GROUP_EPSILON } from './symmetric.wasm';
import { trialCodes } from './symmetric-codes.wasm';

/** The step sizes (half + k/10) / extreme in the order they are tried; the last one fills up. */
const STEPS = memory.data<f32>([0, -9, -8, -7, -6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9], 16);
const STEP_COUNT = 19;
const INVERSES = memory.data(80, 16);
const SUM_XL = memory.data(80, 16);
const SUM_L2 = memory.data(80, 16);

/** Fits 16 floats at `x`, errors weighted by `weights`; codes q + half go to `codes`, a byte each. @returns the scale */
export function fitSymmetricScales(x: usize, weights: usize, half: f32, codes: usize): f32 {
  let extreme: f32 = 0;
  for (let i: usize = 0; i < 64; i += 4) {
    const value = load<f32>(x + i);
    if (abs(value) > abs(extreme)) extreme = value;
  }
  if (abs(extreme) < GROUP_EPSILON) {
    v128.store(codes, i64x2.splat(0));
    return 0;
  }
  project(x, weights, half, extreme);
  let scale: f32 = 0;
  let best: f32 = 0;
  let inverse = load<f32>(INVERSES);
  for (let k: usize = 0; k < 4 * STEP_COUNT; k += 4) {
    const sumXL = load<f32>(SUM_XL + k);
    const sumL2 = load<f32>(SUM_L2 + k);
    const better = k == 0 ? sumL2 != 0 : sumL2 > 0 && sumXL * sumXL > best * sumL2;
    if (!better) continue;
    inverse = load<f32>(INVERSES + k);
    scale = sumXL / sumL2;
    best = scale * sumXL;
  }
  v128.store(codes, trialCodes(x, f32x4.splat(inverse), i32x4.splat(<i32>half)));
  return scale;
}

/** Σ w·x·q and Σ w·q² for every step size. */
@inline
function project(x: usize, weights: usize, half: f32, extreme: f32): void {
  const low = f32x4.splat(-half);
  const high = f32x4.splat(half - 1);
  for (let k: usize = 0; k < 80; k += 16) {
    const size = f32x4.add(f32x4.splat(half), f32x4.mul(f32x4.splat(0.1), v128.load(STEPS + k)));
    const inverse = f32x4.div(f32x4.neg(size), f32x4.splat(extreme));
    let sumXL = i64x2.splat(0);
    let sumL2 = sumXL;
    for (let i: usize = 0; i < 64; i += 4) {
      const value = v128.load32_splat(x + i);
      const w = v128.load32_splat(weights + i);
      const nearest = f32x4.convert_i32x4_s(nearestInt4(f32x4.mul(inverse, value)));
      const l = f32x4.pmax(f32x4.pmin(nearest, high), low);
      sumXL = f32x4.add(sumXL, f32x4.mul(f32x4.mul(w, value), l));
      sumL2 = f32x4.add(sumL2, f32x4.mul(f32x4.mul(w, l), l));
    }
    v128.store(INVERSES + k, inverse);
    v128.store(SUM_XL + k, sumXL);
    v128.store(SUM_L2 + k, sumL2);
  }
}
