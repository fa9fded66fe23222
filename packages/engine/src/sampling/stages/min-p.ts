// Min-p (Nguyen et al. 2024, arXiv:2407.01082): tokens at least a fraction p as likely as the most likely one.
import type { StageKind } from './stage.ts';

export const minP: StageKind = {
  letter: 'm',
  keepsBest: true,
  stage({ minP: p, minKeep }) {
    if (p <= 0) return undefined;
    const distance = Math.fround(Math.log(Math.fround(p)));
    return {
      apply(candidates) {
        const { logits } = candidates;
        const least = Math.fround(logits[candidates.highest()] + distance);
        const kept: number[] = [];
        for (let i = 0; i < candidates.size; i++) if (logits[i] >= least) kept.push(i);
        if (kept.length < minKeep) candidates.keepHighest(minKeep);
        else if (candidates.sorted) candidates.slice(0, kept.length);
        else candidates.pick(Int32Array.from(kept));
      },
    };
  },
};
