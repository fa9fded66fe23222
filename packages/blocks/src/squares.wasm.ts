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

/** Σ x² of up to four blocks of 256 weights, a float each at `dst`; four running sums hide each other's latency. */
export function squaresOf4(src: usize, blocks: usize, dst: usize): void {
  if (blocks < 4) {
    for (let block: usize = 0; block < blocks; block++) store<f32>(dst + 4 * block, addSquares(src + 1024 * block, 256, 0));
    return;
  }
  let a: f32 = 0;
  let b: f32 = 0;
  let c: f32 = 0;
  let d: f32 = 0;
  for (let i: usize = 0; i < 1024; i += 4) {
    const xA = load<f32>(src + i);
    const xB = load<f32>(src + i, 1024);
    const xC = load<f32>(src + i, 2048);
    const xD = load<f32>(src + i, 3072);
    a += xA * xA;
    b += xB * xB;
    c += xC * xC;
    d += xD * xD;
  }
  store<f32>(dst, a);
  store<f32>(dst, b, 4);
  store<f32>(dst, c, 8);
  store<f32>(dst, d, 12);
}
