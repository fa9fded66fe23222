// Items are vectors of four elements.
import { exp4 } from '../../wasm/exp.wasm';
import { loadLanes, storeLanes } from '../../wasm/lanes.wasm';

/** args: x, y, elements, alphaP, alphaN, beta and eps (f32) */
export function xielu(args: usize, begin: usize, end: usize, scratch: usize): void {
  const elements: usize = load<u32>(args, 8);
  const alphaP = v128.load32_splat(args, 12), alphaN = v128.load32_splat(args, 16);
  const beta = v128.load32_splat(args, 20), eps = v128.load32_splat(args, 24);
  for (let i = begin * 4; i < min(end * 4, elements); i += 4) {
    const x = loadLanes(<usize>load<u32>(args) + i * 4, elements - i);
    const bounded = f32x4.pmin(x, eps);
    const below = f32x4.mul(alphaN, f32x4.add(beyondLinear(bounded), f32x4.sub(bounded, x)));
    const above = f32x4.mul(alphaP, f32x4.mul(x, x));
    const curved = v128.bitselect(above, below, f32x4.gt(x, f32x4.splat(0)));
    storeLanes(<usize>load<u32>(args, 4) + i * 4, f32x4.add(curved, f32x4.mul(beta, x)), elements - i);
  }
}

/** e^x − 1 − x: near 0 by its series, where the difference would cancel. */
function beyondLinear(x: v128): v128 {
  const far = f32x4.sub(f32x4.sub(exp4(x), f32x4.splat(1)), x);
  let p = f32x4.add(f32x4.mul(x, f32x4.splat(1.0 / 362880)), f32x4.splat(1.0 / 40320));
  p = f32x4.add(f32x4.mul(p, x), f32x4.splat(1.0 / 5040));
  p = f32x4.add(f32x4.mul(p, x), f32x4.splat(1.0 / 720));
  p = f32x4.add(f32x4.mul(p, x), f32x4.splat(1.0 / 120));
  p = f32x4.add(f32x4.mul(p, x), f32x4.splat(1.0 / 24));
  p = f32x4.add(f32x4.mul(p, x), f32x4.splat(1.0 / 6));
  p = f32x4.add(f32x4.mul(p, x), f32x4.splat(0.5));
  return v128.bitselect(f32x4.mul(p, f32x4.mul(x, x)), far, f32x4.lt(f32x4.abs(x), f32x4.splat(0.7)));
}
