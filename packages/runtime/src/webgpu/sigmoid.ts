/** 1 / (1 + e⁻ˣ) without an e to a positive power: WGSL leaves the result of an overflow open. */
export const sigmoidWgsl = `
fn sigmoid(x: f32) -> f32 {
  let e = exp(-abs(x));
  return select(e, 1.0, x >= 0.0) / (1.0 + e);
}
`;
