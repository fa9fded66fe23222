// Adaptive-p (MrJackSpade 2025): prefers tokens whose probability is near a target, and moves that target so that the
// probabilities of the chosen tokens keep it on average.
import type { ResolvedSampling } from '../options.ts';
import { drawIndex, type Uniform } from '../uniform.ts';
import type { Choice } from './choice.ts';

const WIDTH = 0.3;
const PEAK = 5;
const SHARPNESS = 10;
const f = Math.fround;
const within01 = (x: number): number => Math.min(1, Math.max(0, x));

export function adaptiveP({ adaptiveTarget, adaptiveDecay }: ResolvedSampling, uniform: Uniform): Choice {
  const [target, decay] = [f(adaptiveTarget), f(adaptiveDecay)];
  let weights = f(1 / f(1 - decay));
  let chosenSum = f(target / f(1 - decay));
  return {
    choose(candidates) {
      candidates.softmax();
      const before = candidates.p.slice(0, candidates.size);
      const wanted = within01(weights === 0 ? target : f(f(2 * target) - f(chosenSum / weights)));
      const { logits } = candidates;
      for (let i = 0; i < candidates.size; i++) {
        if (logits[i] === Number.NEGATIVE_INFINITY) continue;
        const distance = Math.abs(f(f(before[i] - wanted) * f(1 / f(WIDTH))));
        logits[i] = PEAK - f(f(f(SHARPNESS * distance) * distance) / f(1 + distance));
      }
      candidates.softmax();
      candidates.sorted = false; // by what they have become
      const chosen = drawIndex(candidates.p, candidates.size, uniform);
      chosenSum = f(before[chosen] + f(decay * chosenSum));
      weights = f(1 + f(decay * weights));
      return chosen;
    },
  };
}
