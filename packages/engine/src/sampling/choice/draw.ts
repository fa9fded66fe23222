// The last step of a chain: one candidate, as likely as its logit says.
import type { Candidates } from '../candidates.ts';
import type { Uniform } from '../uniform.ts';
import type { Choice } from './choice.ts';

export const draw = (uniform: Uniform): Choice => ({
  choose(candidates: Candidates): number {
    const total = candidates.weights();
    const target = total * uniform.nextFloat();
    let sum = 0;
    for (let i = 0; i < candidates.size; i++) {
      sum += candidates.p[i];
      // A weight of 0 must not be hit by a draw of 0.
      if (sum >= target && candidates.p[i] > 0) return i;
    }
    return candidates.highest();
  },
});
