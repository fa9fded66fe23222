// Repeatable numbers: the same seed gives the same case on every machine.

/** Uniform numbers in [0, 1): xorshift32. */
export function randomSource(seed: number): () => number {
  let state = (seed * 2654435761 + 1) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Roughly normal with standard deviation `spread`. */
export function randomFloats(count: number, random: () => number, spread = 1): Float32Array {
  return Float32Array.from({ length: count }, () => (random() + random() + random() + random() - 2) * 1.73 * spread);
}
