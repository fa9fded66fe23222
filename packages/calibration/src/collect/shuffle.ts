// A shuffle that is the same everywhere: Fisher and Yates, with random numbers of splitmix (G. Steele et al., "Fast
// splittable pseudorandom number generators") in 32 bits, mixed by hash-prospector's multipliers.

/** A new array; `seed` is taken modulo 2^32. */
export function shuffled<T>(items: readonly T[], seed: number): T[] {
  const result = [...items];
  const random = splitmix32(seed);
  for (let last = result.length - 1; last > 0; last--) {
    const other = Math.floor((random() / 2 ** 32) * (last + 1));
    [result[last], result[other]] = [result[other]!, result[last]!];
  }
  return result;
}

/** Whole numbers from 0 to 2^32 − 1. */
function splitmix32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
}
