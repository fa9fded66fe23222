// Activation functions of four floats, numbered as in ops/acts.ts. Within a few ulp; NaN stays NaN.
import { exp4 } from './exp.wasm';

export function act4(act: u32, x: v128): v128 {
  switch (act) {
    case 0: return f32x4.mul(x, sigmoid4(x));
    case 1: return f32x4.mul(x, sigmoid4(geluInner(x)));
    case 2: return f32x4.mul(x, normalBelow4(x));
    case 3: return f32x4.pmax(x, f32x4.splat(0));
    case 4: {
      const positive = f32x4.pmax(x, f32x4.splat(0));
      return f32x4.mul(positive, positive);
    }
    case 5: return sigmoid4(x);
    default: return softplus4(x);
  }
}

@inline
export function sigmoid4(x: v128): v128 {
  const one = f32x4.splat(1);
  return f32x4.div(one, f32x4.add(one, exp4(f32x4.neg(x))));
}

/** gelu's tanh form is g · sigmoid(2·√(2/π)·(g + 0.044715 g³)). */
@inline
function geluInner(g: v128): v128 {
  const cubic = f32x4.mul(f32x4.mul(f32x4.mul(g, g), g), f32x4.splat(0.044715));
  return f32x4.mul(f32x4.add(g, cubic), f32x4.splat(1.5957691216));
}

/** max(x, 0) + ln(1 + e^−|x|); ln(1 + u) = 2·artanh(u / (2 + u)), whose series is short because u ≤ 1. */
export function softplus4(x: v128): v128 {
  const u = exp4(f32x4.neg(f32x4.abs(x)));
  const s = f32x4.div(u, f32x4.add(u, f32x4.splat(2)));
  const z = f32x4.mul(s, s);
  let p = f32x4.add(f32x4.mul(z, f32x4.splat(1.0 / 15)), f32x4.splat(1.0 / 13));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(1.0 / 11));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(1.0 / 9));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(1.0 / 7));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(1.0 / 5));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(1.0 / 3));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(1));
  return f32x4.add(f32x4.pmax(x, f32x4.splat(0)), f32x4.mul(f32x4.add(s, s), p));
}

/** Φ(x) = erfc(−x/√2) / 2, erfc by the Chebyshev fit of Numerical Recipes (fractional error 1.2e-7). */
function normalBelow4(x: v128): v128 {
  const one = f32x4.splat(1);
  const z = f32x4.mul(f32x4.abs(x), f32x4.splat(0.70710678118));
  const t = f32x4.div(one, f32x4.add(one, f32x4.mul(z, f32x4.splat(0.5))));
  let p = f32x4.add(f32x4.mul(t, f32x4.splat(0.17087277)), f32x4.splat(-0.82215223));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(1.48851587));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(-1.13520398));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(0.27886807));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(-0.18628806));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(0.09678418));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(0.37409196));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(1.00002368));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(-1.26551223));
  const half = f32x4.mul(f32x4.mul(t, f32x4.splat(0.5)), exp4(f32x4.sub(p, f32x4.mul(z, z))));
  return v128.bitselect(f32x4.sub(one, half), half, f32x4.gt(x, f32x4.splat(0)));
}
