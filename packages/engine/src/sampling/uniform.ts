// Where a sampler's chance comes from.
import { Mt19937 } from './mt19937.ts';
import { Random } from './random.ts';

export interface Uniform {
  /** Uniform in [0, 1), 53 bits. */
  nextFloat(): number;
  /** Uniform in [0, 1), 24 bits: what fits a 32-bit float. */
  nextFloat24(): number;
}

/** `quern`: xoshiro128**, one sequence for all stages of a chain. `llama.cpp`: std::mt19937, one for each stage that draws. */
export const rngNames = ['quern', 'llama.cpp'] as const;
export type RngName = (typeof rngNames)[number];

/** What gives each stage of a chain that draws its numbers. */
export function uniformsOf(rng: RngName, seed: number): () => Uniform {
  if (rng === 'llama.cpp') return () => new Mt19937(seed);
  const random = Random.seeded(seed);
  return () => random;
}

/**
 * An index with probability `p[index]`, as libstdc++'s std::discrete_distribution finds it: sums in f64, the first that
 * reaches the draw. One number alone is chosen without a draw.
 */
export function drawIndex(p: Float32Array, size: number, uniform: Uniform): number {
  if (size < 2) return 0;
  let total = 0;
  for (let i = 0; i < size; i++) total += p[i];
  const target = uniform.nextFloat();
  let sum = 0;
  for (let i = 0; i < size - 1; i++) {
    sum += p[i] / total;
    if (sum >= target) return i;
  }
  return size - 1;
}
