// XTC, "exclude top choices" (p-e-w 2024): by chance, of the tokens that are likely enough only the least likely stays.
import type { StageKind } from './stage.ts';

export const xtc: StageKind = {
  letter: 'x',
  keepsBest: false,
  stage({ xtcProbability, xtcThreshold, minKeep }, uniform) {
    if (xtcProbability <= 0 || xtcThreshold > 0.5) return undefined;
    const chance = uniform();
    const [probability, threshold] = [Math.fround(xtcProbability), Math.fround(xtcThreshold)];
    return {
      apply(candidates) {
        if (candidates.size < 2 || chance.nextFloat24() > probability) return;
        candidates.sort();
        candidates.softmax();
        let last = 0;
        while (last + 1 < candidates.size && candidates.p[last + 1] >= threshold) last++;
        if (last > 0 && candidates.size - last >= minKeep) candidates.slice(last, candidates.size);
      },
    };
  },
};
