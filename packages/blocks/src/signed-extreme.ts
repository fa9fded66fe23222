// The weight that decides the scale of Q4_0 and Q5_0.

/** The value of largest magnitude with its sign; the first one where several tie. */
export function signedExtreme(block: Float32Array): number {
  let magnitude = 0;
  let extreme = 0;
  for (const x of block) {
    if (magnitude < Math.abs(x)) {
      magnitude = Math.abs(x);
      extreme = x;
    }
  }
  return extreme;
}
