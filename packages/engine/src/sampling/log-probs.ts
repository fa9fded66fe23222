// log softmax of the model's own logits, before penalties, bias, truncation or temperature: what OpenAI's `logprobs` means.
import type { HighestLogits } from '@quern/models';
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

/** The `count` likeliest tokens of all logits, which are finite: what a device gives where the others are not needed. */
export function highestOf(logits: Float32Array, count: number): HighestLogits {
  const ranking = new Ranking(logits, count);
  const tokens = Int32Array.from({ length: ranking.count }, (_, rank) => ranking.token(rank));
  return {
    tokens,
    logits: Float32Array.from(tokens, (token) => logits[token]!),
    logSumExp: logSumExp(logits),
    allFinite: true,
  };
}

/** The `count` most likely tokens, most likely first. */
export const topLogProbs = (highest: HighestLogits, count: number): TokenLogProb[] =>
  Array.from(highest.tokens.subarray(0, count), (token, rank) => ({
    token,
    logprob: highest.logits[rank]! - highest.logSumExp!,
  }));
