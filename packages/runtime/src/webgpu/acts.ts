// Activation functions in WGSL: `fn act(x)`, for each of ops/acts.ts.
import type { Act } from '../ops/acts.ts';
import { exponentialsWgsl, sigmoidWgsl } from './exponentials.ts';

/** ln(1 + e^x): max(x, 0) + 2·artanh(u / (2 + u)) with u = e^−|x|, which keeps its digits for small u. */
export const softplusWgsl = `
fn softplus(x: f32) -> f32 {
  let u = exp_of(-abs(x));
  let s = u / (2.0 + u);
  let z = s * s;
  let p = ((((((z / 15.0 + 1.0 / 13.0) * z + 1.0 / 11.0) * z + 1.0 / 9.0) * z + 1.0 / 7.0) * z + 0.2) * z + 1.0 / 3.0) * z + 1.0;
  return select(max(x, 0.0) + 2.0 * s * p, x, is_nan(x));
}
`;

/** erfc by the Chebyshev fit of Numerical Recipes (fractional error 1.2e-7). */
const normalBelowWgsl = `
fn normal_below(x: f32) -> f32 {
  let z = min(abs(x), 20.0) * 0.70710678118;
  let t = 1.0 / (1.0 + 0.5 * z);
  let p = ((((((((0.17087277 * t - 0.82215223) * t + 1.48851587) * t - 1.13520398) * t + 0.27886807) * t - 0.18628806) * t + 0.09678418) * t + 0.37409196) * t + 1.00002368) * t - 1.26551223;
  let half = 0.5 * t * exp_of(p - z * z);
  return select(half, 1.0 - half, x > 0.0);
}
`;

export const actWgsl: Readonly<Record<Act, string>> = {
  silu: `${sigmoidWgsl}fn act(x: f32) -> f32 { return x * sigmoid(x); }`,
  // The tanh form is x · sigmoid(2u), since (1 + tanh u) / 2 = sigmoid(2u). Beyond ±20 the sigmoid is 0 or 1 to the last bit,
  // and x³ must not overflow.
  gelu: `${sigmoidWgsl}
fn act(x: f32) -> f32 {
  let c = clamp(x, -20.0, 20.0);
  return x * sigmoid(${2 * Math.sqrt(2 / Math.PI)} * (c + 0.044715 * c * c * c));
}`,
  gelu_erf: `${exponentialsWgsl}${normalBelowWgsl}fn act(x: f32) -> f32 { return x * normal_below(x); }`,
  relu: `${exponentialsWgsl}fn act(x: f32) -> f32 { return select(max(x, 0.0), x, is_nan(x)); }`,
  relu2: `${exponentialsWgsl}fn act(x: f32) -> f32 { let r = select(max(x, 0.0), x, is_nan(x)); return r * r; }`,
  sigmoid: `${sigmoidWgsl}fn act(x: f32) -> f32 { return sigmoid(x); }`,
  softplus: `${exponentialsWgsl}${softplusWgsl}fn act(x: f32) -> f32 { return softplus(x); }`,
};
