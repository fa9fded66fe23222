// Scores of a router's logits in WGSL: `score_of(x)`, and what it needs to know of a token's row beforehand.
import type { Score } from '../ops/router-scores.ts';
import { softplusWgsl } from './acts.ts';
import { exponentialsWgsl, sigmoidWgsl } from './exponentials.ts';

const scores: Readonly<Record<Score, string>> = {
  // The largest logit and the sum of powers are set by `scoringRow`.
  softmax: `${exponentialsWgsl}
var<private> row_largest: f32;
var<private> row_sum: f32;
fn score_of(x: f32) -> f32 { return exp_of(x - row_largest) / row_sum; }`,
  sigmoid: `${sigmoidWgsl}fn score_of(x: f32) -> f32 { return sigmoid(x); }`,
  sqrt_softplus: `${exponentialsWgsl}${softplusWgsl}fn score_of(x: f32) -> f32 { return sqrt(softplus(x)); }`,
};

export const scoreWgsl = (score: Score | 'logits'): string =>
  score === 'logits' ? 'fn score_of(x: f32) -> f32 { return x; }' : scores[score];

/** Statements for `scoreWgsl('softmax')`; `row` is where the token's p.E logits begin. */
export const scoringRow = (score: Score | 'logits', row: string): string =>
  score === 'softmax'
    ? `
  row_largest = get_logits(${row});
  for (var e = 0u; e < p.E; e++) { row_largest = max(row_largest, get_logits(${row} + e)); }
  row_sum = 0.0;
  for (var e = 0u; e < p.E; e++) { row_sum += exp_of(get_logits(${row} + e) - row_largest); }`
    : '';
