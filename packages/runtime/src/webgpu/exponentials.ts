// Exponentials that do what the ops say where WGSL leaves it open.

/** eˣ and ln x that keep NaN (a compiler may assume there are none, and drivers turn it into 0 or ∞; bits do not lie). */
export const exponentialsWgsl = `
fn is_nan(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}
fn exp_of(x: f32) -> f32 {
  return select(exp(x), x, is_nan(x));
}
fn log_of(x: f32) -> f32 {
  return select(log(x), x, is_nan(x));
}
`;

/** 1 / (1 + e⁻ˣ) without an e to a positive power, whose overflow may be anything. */
export const sigmoidWgsl = `${exponentialsWgsl}
fn sigmoid(x: f32) -> f32 {
  let e = exp_of(-abs(x));
  return select(e, 1.0, x >= 0.0) / (1.0 + e);
}
`;

/** tanh that keeps its digits near 0, where powers would cancel (Cephes' polynomial). */
export const tanhWgsl = `
fn tanh_of(x: f32) -> f32 {
  let size = abs(x);
  if (size < 0.625) {
    let z = x * x;
    return x + x * z * ((((-5.70498872745e-3 * z + 2.06390887954e-2) * z - 5.37397155531e-2) * z + 1.33314422036e-1) * z - 3.33332819422e-1);
  }
  let far = 1.0 - 2.0 / (exp_of(min(2.0 * size, 80.0)) + 1.0);
  return select(select(far, -far, x < 0.0), x, is_nan(x));
}
`;
