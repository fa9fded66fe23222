// log softmax of the model's own logits, before penalties, bias, truncation or temperature: what OpenAI's `logprobs` means.
import { Ranking } from './ranking.ts';

export interface TokenLogProb {
  readonly token: number;
  /** Natural logarithm of the probability. */
  readonly logprob: number;
}

/** log Σ exp(logits), in f64. */
export function logSumExp(logits: Float32Array): number {
  let max = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < logits.length; i++) if (logits[i] > max) max = logits[i];
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += Math.exp(logits[i] - max);
  return max + Math.log(sum);
}

/** The `count` most likely tokens, most likely first. */
export function topLogProbs(logits: Float32Array, normalizer: number, count: number): TokenLogProb[] {
  const ranking = new Ranking(logits, count);
  return Array.from({ length: ranking.count }, (_, rank) => ({
    token: ranking.token(rank),
    logprob: ranking.logit(rank) - normalizer,
  }));
}
