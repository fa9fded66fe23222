// Two next-token distributions at one place of the text (llama-perplexity's log_softmax with a base):
//   KLD = Σ p_b · (log p_b - log p)  over the entries with log p_b > -16
// Entries that the base gives less than e^-16 are left out, as llama.cpp does; so a KLD may be slightly below 0.

/** Smaller log probabilities of the base do not count. */
const floor = -16;

export interface RowComparison {
  /** In nats. */
  readonly kld: number;
  readonly nll: number;
  readonly baseNll: number;
  /** Both hold the same token for the likeliest; of equals, the first. */
  readonly sameTop: boolean;
}

/** log p of every entry of a row of logits. */
export function logProbsOf(logits: Float32Array, into: Float32Array): void {
  const { max, logSum } = normalizer(logits);
  for (let i = 0; i < logits.length; i++) into[i] = logits[i]! - max - logSum;
}

/**
 * @param base [vocab] log probabilities
 * @param logits [vocab]
 * @param target the token that stands in the text
 */
export function compareRow(base: Float32Array, logits: Float32Array, target: number): RowComparison {
  const { max, top, logSum } = normalizer(logits);
  const norm = max + logSum;
  let kld = 0;
  let baseTop = 0;
  for (let i = 0; i < base.length; i++) {
    const logBase = base[i]!;
    if (logBase > base[baseTop]!) baseTop = i;
    if (logBase > floor) kld += Math.exp(logBase) * (logBase - logits[i]! + norm);
  }
  return { kld, nll: norm - logits[target]!, baseNll: -base[target]!, sameTop: top === baseTop };
}

function normalizer(logits: Float32Array): { max: number; top: number; logSum: number } {
  let top = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[top]!) top = i;
  const max = logits[top]!;
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += Math.exp(logits[i]! - max);
  return { max, top, logSum: Math.log(sum) };
}
