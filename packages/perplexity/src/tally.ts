// Sums over scored tokens, and the figures made of them (llama-perplexity's):
//   nll = -log p(token)      PPL = exp(E[nll])      error = PPL · sqrt((E[nll²] - E[nll]²) / (count - 1))
// The error is that of the mean carried through exp: one standard deviation, to first order.

export interface Figures {
  ppl: number;
  /** One standard deviation of `ppl`; 0 when fewer than two tokens were scored. */
  error: number;
  /** Mean negative log likelihood per token, in nats. */
  nllMean: number;
  tokensScored: number;
}

export class Tally {
  #count = 0;
  #nll = 0;
  #nllSquared = 0;

  /** @param logProbs natural logarithms of the probabilities of the tokens that stood in the text */
  add(logProbs: Float32Array): void {
    for (const logProb of logProbs) {
      this.#nll -= logProb;
      this.#nllSquared += logProb * logProb;
    }
    this.#count += logProbs.length;
  }

  figures(): Figures {
    const nllMean = this.#nll / this.#count;
    const ppl = Math.exp(nllMean);
    const variance = this.#nllSquared / this.#count - nllMean * nllMean;
    const error = this.#count > 1 && variance > 0 ? ppl * Math.sqrt(variance / (this.#count - 1)) : 0;
    return { ppl, error, nllMean, tokensScored: this.#count };
  }
}
