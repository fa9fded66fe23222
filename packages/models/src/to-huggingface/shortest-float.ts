// The decimal number that was meant: GGUF stores 1e-5 as the float32 0.000009999999747378752.

/** The shortest decimal number that rounds to the same float32; numbers that are no float32 stay as they are. */
export function shortestFloat(value: number): number {
  if (Math.fround(value) !== value) return value;
  for (let digits = 1; digits < 9; digits++) {
    const shorter = Number(value.toPrecision(digits));
    if (Math.fround(shorter) === value) return shorter;
  }
  return value;
}
