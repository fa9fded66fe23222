// How much errors count under importance: a column's importance, more for weights that are large for their surroundings.
// Order and rounding are those of ggml-quants.c, where the mean square is called sigma2 (and is often taken twice).

const { fround } = Math;

/** Σ x², added one after the other. */
export function sumOfSquares(x: Float32Array): number {
  let sum = 0;
  for (const value of x) sum = fround(sum + fround(value * value));
  return sum;
}

/** Σ w, added one after the other. */
export function sumOfWeights(weights: Float32Array): number {
  let sum = 0;
  for (const weight of weights) sum = fround(sum + weight);
  return sum;
}

/** w = importance · √(meanSquare + x²). */
export const errorWeights = (x: Float32Array, importance: Float32Array, meanSquare: number): Float32Array =>
  x.map((value, i) => importance[i] * fround(Math.sqrt(fround(meanSquare + fround(value * value)))));

/** The error weights of whole rows, for the types that take the mean square of the row. */
export function rowErrorWeights(values: Float32Array, importance: Float32Array): Float32Array {
  const cols = importance.length;
  const weights = new Float32Array(values.length);
  for (let first = 0; first < values.length; first += cols) {
    const row = values.subarray(first, first + cols);
    weights.set(errorWeights(row, importance, fround(sumOfSquares(row) / cols)), first);
  }
  return weights;
}
