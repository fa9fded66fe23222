// Nucleus sampling (Holtzman et al. 2019, arXiv:1904.09751): the most likely tokens whose probabilities reach p together.
import type { Candidates } from '../candidates.ts';
import { Ranking } from '../ranking.ts';
import type { StageKind } from './stage.ts';

export const topP: StageKind = {
  letter: 'p',
  keepsBest: true,
  stage({ topP: p, minKeep }) {
    if (p >= 1) return undefined;
    const enough = Math.fround(p);
    return {
      apply(candidates) {
        candidates.softmax();
        candidates.keepHighest(nucleus(candidates, enough, minKeep));
      },
    };
  },
};

/** How many of the most likely tokens it takes; only so many are put in order. */
function nucleus(candidates: Candidates, enough: number, least: number): number {
  const { p, size, sorted } = candidates;
  const ranking = sorted ? undefined : new Ranking(candidates.logits.subarray(0, size), size);
  let sum = 0;
  for (let rank = 0; rank < size; rank++) {
    sum = Math.fround(sum + p[ranking?.token(rank) ?? rank]);
    if (sum >= enough && rank + 1 >= least) return rank + 1;
  }
  return size;
}
