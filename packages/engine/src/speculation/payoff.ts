// How many tokens are worth guessing. When a guess is right with probability a, k guesses give on the average
//   tokens(k) = 1 + a + a² + … + aᵏ
// for a share of the step's base, 1 + k rows, and the time that the guesses take. The k with the most tokens per
// millisecond is best; 0 is what the sequence has without guesses.
import type { StepCost } from './step-cost.ts';

export interface Chances {
  /** How often a guess is right, given that those before it were. */
  readonly acceptance: number;
  /** Milliseconds that one guess takes to make. */
  readonly guessMs: number;
  /** Most guesses. */
  readonly most: number;
  /** Sequences that decode beside each other and share the base. */
  readonly decoding: number;
}

export function worthGuessing({ acceptance, guessMs, most, decoding }: Chances, cost: StepCost['known']): number {
  if (!cost) return most;
  const base = cost.base / Math.max(1, decoding);
  let [best, bestRate] = [0, 1 / (base + cost.each)];
  let tokens = 1;
  for (let k = 1; k <= most; k++) {
    tokens += acceptance ** k;
    const rate = tokens / (base + (1 + k) * cost.each + k * guessMs);
    if (rate > bestRate) [best, bestRate] = [k, rate];
  }
  return best;
}
