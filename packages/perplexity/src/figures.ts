// Figures of per-token values (llama-perplexity's formulas):
//   nll = -log p(token)      PPL = exp(E[nll])      error of a mean = sqrt((E[x²] - E[x]²) / (count - 1))
// An error is one standard deviation, carried through exp and ratios to first order. Tokens count as independent.

export interface Estimate {
  readonly value: number;
  /** One standard deviation; 0 when fewer than two values went in. */
  readonly error: number;
}

/** Sums of x, x² and how many. */
export class Moments {
  count = 0;
  sum = 0;
  sumSquares = 0;

  add(value: number): void {
    this.count++;
    this.sum += value;
    this.sumSquares += value * value;
  }

  addAll(values: Iterable<number>): this {
    for (const value of values) this.add(value);
    return this;
  }

  get mean(): number {
    return this.sum / this.count;
  }

  /** Standard deviation of the mean. */
  get error(): number {
    const variance = this.sumSquares / this.count - this.mean * this.mean;
    return this.count > 1 && variance > 0 ? Math.sqrt(variance / (this.count - 1)) : 0;
  }

  get estimate(): Estimate {
    return { value: this.mean, error: this.error };
  }
}

export interface Figures {
  ppl: number;
  /** One standard deviation of `ppl`; 0 when fewer than two tokens were scored. */
  error: number;
  /** Mean negative log likelihood per token, in nats. */
  nllMean: number;
  tokensScored: number;
}

/** @param nll moments of the negative log likelihoods */
export function figuresOf(nll: Moments): Figures {
  const ppl = Math.exp(nll.mean);
  return { ppl, error: ppl * nll.error, nllMean: nll.mean, tokensScored: nll.count };
}
