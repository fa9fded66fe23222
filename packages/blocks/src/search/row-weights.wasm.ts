// How much errors count in the searches of the IQ1, IQ2 and IQ3 types, for `bytes` bytes of weights at `src`, in their order.

/** importance · √(meanSquare + x²), as error-weights.ts. */
@inline
export function loadErrorWeights(dst: usize, src: usize, importance: usize, bytes: usize, meanSquare: f32): void {
  const mean = f32x4.splat(meanSquare);
  for (let i: usize = 0; i < bytes; i += 16) {
    const x = v128.load(src + i);
    const size = f32x4.sqrt(f32x4.add(mean, f32x4.mul(x, x)));
    v128.store(dst + i, f32x4.mul(v128.load(importance + i), size));
  }
}

/** base + x², without importance. */
@inline
export function loadSquares(dst: usize, src: usize, bytes: usize, base: f32): void {
  const bases = f32x4.splat(base);
  for (let i: usize = 0; i < bytes; i += 16) {
    const x = v128.load(src + i);
    v128.store(dst + i, f32x4.add(bases, f32x4.mul(x, x)));
  }
}
