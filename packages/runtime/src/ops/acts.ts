// Activation functions of one number, by the names that ops and kernels share. `gelu` is its tanh form ('gelu_pytorch_tanh',
// ggml's GELU), `gelu_erf` the exact one.

export const acts = ['silu', 'gelu', 'gelu_erf', 'relu', 'relu2', 'sigmoid', 'softplus'] as const;
export type Act = (typeof acts)[number];

/** The number of an act in `act4` of wasm/acts.wasm.ts. */
export const actNumber = (act: Act): number => acts.indexOf(act);

export const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

export const actReference: Readonly<Record<Act, (x: number) => number>> = {
  silu: (x) => x * sigmoid(x),
  gelu: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  gelu_erf: (x) => x * normalBelow(x),
  relu: (x) => (x < 0 ? 0 : x),
  relu2: (x) => (x < 0 ? 0 : x * x),
  sigmoid,
  softplus,
};

/** Φ(x), the share of the normal distribution below x: a power series near 0, a continued fraction far out. */
function normalBelow(x: number): number {
  const z = Math.abs(x);
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  if (z < 3.5) {
    let [term, sum] = [x, x];
    for (let n = 3; Math.abs(term) > 1e-17 * Math.abs(sum); n += 2) sum += term *= (x * x) / n;
    return 0.5 + density * sum;
  }
  let fraction = z;
  for (let n = 60; n > 0; n--) fraction = z + n / fraction;
  const tail = density / fraction;
  return x > 0 ? 1 - tail : tail;
}
