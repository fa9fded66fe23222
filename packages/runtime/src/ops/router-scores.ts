// How routers turn logits into scores, as the modeling files of transformers do; shared by route and routeWeights.
import { sigmoid, softplus } from './acts.ts';

export const scoreNames = ['softmax', 'sigmoid', 'sqrt_softplus'] as const;
export type Score = (typeof scoreNames)[number];

/** The number of a score in wasm/router-scores.wasm.ts. */
export const scoreNumber = (score: Score): number => scoreNames.indexOf(score);

/** Scores of a row of logits. */
export function scoresOf(score: Score, logits: Float32Array): number[] {
  if (score === 'softmax') {
    const max = logits.reduce((a, b) => Math.max(a, b));
    const powers = Array.from(logits, (logit) => Math.exp(logit - max));
    const total = powers.reduce((a, b) => a + b);
    return powers.map((power) => power / total);
  }
  return Array.from(logits, score === 'sigmoid' ? sigmoid : (logit) => Math.sqrt(softplus(logit)));
}
