// Temperature, fixed or dynamic (kalomaze 2023): between temperature - range and temperature + range, the higher the more
// evenly the probabilities are spread.
import type { Candidates } from '../candidates.ts';
import type { StageKind } from './stage.ts';

export const temperature: StageKind = {
  letter: 't',
  keepsBest: true,
  stage({ temperature: fixed, dynamicTemperatureRange, dynamicTemperatureExponent }) {
    const range = Math.fround(dynamicTemperatureRange);
    const middle = Math.fround(fixed);
    if (range <= 0) return { apply: (candidates) => divide(candidates, middle) };
    const lowest = Math.max(0, Math.fround(middle - range));
    const span = Math.fround(Math.fround(middle + range) - lowest);
    const exponent = Math.fround(dynamicTemperatureExponent);
    return {
      apply(candidates) {
        if (candidates.size <= 1) return;
        const spread = Math.fround(Math.fround(normalizedEntropy(candidates)) ** exponent);
        divide(candidates, Math.fround(lowest + Math.fround(span * spread)));
      },
    };
  },
};

/** A temperature of 0 leaves the most likely token alone. */
export function divide(candidates: Candidates, by: number): void {
  const { logits, size } = candidates;
  const best = candidates.highest();
  for (let i = 0; i < size; i++) {
    if (by > 0) logits[i] /= by;
    else if (i !== best) logits[i] = Number.NEGATIVE_INFINITY;
  }
}

/** Entropy ÷ its maximum, log(size). Sorts. */
function normalizedEntropy(candidates: Candidates): number {
  candidates.sort();
  candidates.softmax();
  const { p, size } = candidates;
  let entropy = 0;
  for (let i = 0; i < size; i++)
    if (p[i] > 0) entropy = Math.fround(entropy - Math.fround(p[i] * Math.fround(Math.log(p[i]))));
  return entropy / -Math.fround(Math.log(Math.fround(1 / size)));
}
