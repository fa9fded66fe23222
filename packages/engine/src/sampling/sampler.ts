// One request's choice of the next token, in llama.cpp's order:
//   logit bias → penalties → top-k → top-p → min-p → temperature → draw.
// Top-p and min-p therefore look at probabilities at temperature 1: a high temperature flattens what was kept, it does
// not let unlikely tokens back in. Temperature 0 is greedy after bias and penalties.
// The state (random numbers, tokens seen) belongs to the request, so its batch mates cannot change its tokens.
import { QuernError } from '@quern/errors';
import type { ResolvedSampling } from './options.ts';
import { Random } from './random.ts';
import { Ranking } from './ranking.ts';

export class Sampler {
  readonly #options: ResolvedSampling;
  readonly #random: Random;
  readonly #prompt: ReadonlySet<number>;
  readonly #generated = new Map<number, number>();

  /** `prompt`: its tokens are subject to the repetition penalty, not to presence and frequency (as in vLLM). */
  constructor(options: ResolvedSampling, prompt: Iterable<number>) {
    this.#options = options;
    this.#random = Random.seeded(options.seed);
    this.#prompt = options.repetitionPenalty === 1 ? new Set() : new Set(prompt);
  }

  /**
   * Chooses a token and remembers it. `logits` [vocab], finite, is overwritten.
   * @throws QuernError `no-token-allowed` when the bias forbids every token.
   */
  sample(logits: Float32Array): number {
    this.#applyBias(logits);
    this.#applyPenalties(logits);
    const token = this.#options.temperature === 0 ? highest(logits) : this.#draw(logits);
    if (!(logits[token] > Number.NEGATIVE_INFINITY))
      throw new QuernError('no-token-allowed', 'logitBias forbids every token of the vocabulary.');
    this.#generated.set(token, (this.#generated.get(token) ?? 0) + 1);
    return token;
  }

  #applyBias(logits: Float32Array): void {
    for (const [token, bias] of this.#options.logitBias) logits[token] += bias;
  }

  #applyPenalties(logits: Float32Array): void {
    const { repetitionPenalty, presencePenalty, frequencyPenalty } = this.#options;
    if (repetitionPenalty !== 1) {
      const repeat = (token: number): void => {
        logits[token] = logits[token] > 0 ? logits[token] / repetitionPenalty : logits[token] * repetitionPenalty;
      };
      for (const token of this.#prompt) repeat(token);
      for (const token of this.#generated.keys()) if (!this.#prompt.has(token)) repeat(token);
    }
    if (presencePenalty !== 0 || frequencyPenalty !== 0)
      for (const [token, count] of this.#generated) logits[token] -= presencePenalty + count * frequencyPenalty;
  }

  #draw(logits: Float32Array): number {
    const { temperature, topK, topP, minP } = this.#options;
    const ranking = new Ranking(logits, topK === 0 ? logits.length : topK);
    const kept = keepMinP(ranking, keepTopP(ranking, ranking.count, topP), minP);
    const target = this.#random.nextFloat() * ranking.weight(kept, temperature);
    let cumulative = 0;
    let chosen = 0; // when rounding lifts `target` to the total, the last token with any weight
    for (let rank = 0; rank < kept && cumulative <= target; rank++) {
      const weight = Math.exp((ranking.logit(rank) - ranking.logit(0)) / temperature);
      cumulative += weight;
      if (weight > 0) chosen = rank;
    }
    return ranking.token(chosen);
  }
}

/** Lowest id of the highest logit. */
function highest(logits: Float32Array): number {
  let best = 0;
  for (let id = 1; id < logits.length; id++) if (logits[id] > logits[best]) best = id;
  return best;
}

/** How many of the first `count` tokens it takes to reach probability `topP` among them; at least one. */
function keepTopP(ranking: Ranking, count: number, topP: number): number {
  if (topP >= 1) return count;
  const enough = topP * ranking.weight(count, 1);
  let cumulative = 0;
  for (let rank = 0; rank < count; rank++) {
    cumulative += Math.exp(ranking.logit(rank) - ranking.logit(0));
    if (cumulative >= enough) return rank + 1;
  }
  return count;
}

/** How many of the first `count` tokens are at least `minP` times as likely as the first; at least one. */
function keepMinP(ranking: Ranking, count: number, minP: number): number {
  if (minP <= 0) return count;
  const lowest = ranking.logit(0) + Math.log(minP);
  let kept = 1;
  while (kept < count && ranking.logit(kept) >= lowest) kept++;
  return kept;
}
