// Locally typical sampling (Meister et al. 2022, arXiv:2202.00666): tokens whose surprise is nearest to the entropy, until
// their probabilities pass p together.
import { Ranking } from '../ranking.ts';
import type { StageKind } from './stage.ts';

export const typical: StageKind = {
  letter: 'y',
  keepsBest: false,
  stage({ typicalP, minKeep }) {
    if (typicalP >= 1) return undefined;
    const enough = Math.fround(typicalP);
    return {
      apply(candidates) {
        candidates.sort();
        candidates.softmax();
        const { p, size } = candidates;
        const surprise = Float32Array.from(p.subarray(0, size), (one) => -Math.fround(Math.log(one)));
        let entropy = 0;
        // A token without probability adds nothing: p · log p goes to 0.
        for (let i = 0; i < size; i++) if (p[i] > 0) entropy = Math.fround(entropy + Math.fround(p[i] * surprise[i]));
        const nearest = new Ranking(
          surprise.map((one) => -Math.abs(one - entropy)),
          size,
        );
        const kept: number[] = [];
        for (let sum = 0; kept.length < size; ) {
          kept.push(nearest.token(kept.length));
          sum = Math.fround(sum + p[kept.at(-1)!]);
          if (sum > enough && kept.length >= minKeep) break;
        }
        candidates.pick(Int32Array.from(kept));
        candidates.sorted = false;
      },
    };
  },
};
