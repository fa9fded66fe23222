// Sums of squares, which say how large a weight is among its neighbours. The order of the sum is ggml's: one after the
// other, since the rounding of float sums depends on it.

/** `sum` plus the squares of `count` floats at `src`. */
export function addSquares(src: usize, count: usize, sum: f32): f32 {
  const end = src + 4 * count;
  for (; src < end; src += 4) {
    const x = load<f32>(src);
    sum += x * x;
  }
  return sum;
}
