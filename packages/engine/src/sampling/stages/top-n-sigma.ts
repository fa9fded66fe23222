// Top-nσ (Tang et al. 2024, arXiv:2411.07641): tokens whose logit is within n standard deviations of the highest.
import type { StageKind } from './stage.ts';

export const topNSigma: StageKind = {
  letter: 's',
  keepsBest: true,
  stage({ topNSigma: n }) {
    if (n <= 0) return undefined;
    return {
      apply(candidates) {
        const { logits, size } = candidates;
        if (size <= 1) return;
        const counted = (i: number): boolean => logits[i] !== Number.NEGATIVE_INFINITY;
        let [sum, count, squares] = [0, 0, 0];
        for (let i = 0; i < size; i++)
          if (counted(i)) {
            sum = Math.fround(sum + logits[i]);
            count++;
          }
        const mean = Math.fround(sum / count);
        for (let i = 0; i < size; i++)
          if (counted(i)) squares = Math.fround(squares + Math.fround(logits[i] - mean) ** 2);
        const deviation = Math.fround(Math.sqrt(Math.fround(squares / count)));
        const least = Math.fround(logits[candidates.highest()] - Math.fround(Math.fround(n) * deviation));
        for (let i = 0; i < size; i++) if (logits[i] < least) logits[i] = Number.NEGATIVE_INFINITY;
      },
    };
  },
};
