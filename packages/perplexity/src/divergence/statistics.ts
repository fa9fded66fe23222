// What llama-perplexity --kl-divergence prints, from per-token values. Both models scored the same tokens, so the error of
// their difference is that of paired values: var(a - b) = var(a) + var(b) - 2 cov(a, b), far below either alone.
import { type Estimate, Moments } from '../figures.ts';
import type { WindowScores } from '../window-scores.ts';

export interface Distribution extends Estimate {
  readonly min: number;
  readonly max: number;
  readonly median: number;
  /** Keyed by percentage: `p99.9`. */
  readonly percentiles: Readonly<Record<string, number>>;
}

export interface Divergence {
  readonly ppl: Estimate;
  readonly basePpl: Estimate;
  /** Of ln PPL and ln PPL(base); 1 is perfect. */
  readonly correlation: number;
  /** ln(PPL / PPL(base)) */
  readonly lnRatio: Estimate;
  /** PPL / PPL(base) */
  readonly ratio: Estimate;
  /** PPL - PPL(base) */
  readonly difference: Estimate;
  /** In nats. */
  readonly kld: Distribution;
  /** p - p(base) of the token in the text, as a fraction of 1. */
  readonly deltaP: Distribution;
  /** Root of the mean squared Δp. */
  readonly rmsDeltaP: Estimate;
  /** Fraction of places where both hold the same token for the likeliest. */
  readonly sameTop: Estimate;
  readonly tokensScored: number;
}

const kldPercentages = [99.9, 99, 95, 90, 10, 5, 1, 0.1];
const deltaPercentages = [99.9, 99, 95, 90, 75, 25, 10, 5, 1, 0.1];

/** @param windows all of them compared with a base */
export function divergenceOf(windows: readonly WindowScores[]): Divergence {
  const compared = windows.map(({ nll, comparison }) => ({ nll, ...comparison! }));
  const nll = new Moments();
  const baseNll = new Moments();
  const squaredDelta = new Moments();
  const kld: number[] = [];
  const deltaP: number[] = [];
  let products = 0;
  let same = 0;
  for (const window of compared) {
    for (let i = 0; i < window.nll.length; i++) {
      const own = window.nll[i]!;
      const base = window.baseNll[i]!;
      nll.add(own);
      baseNll.add(base);
      products += own * base;
      const delta = Math.exp(-own) - Math.exp(-base);
      squaredDelta.add(delta * delta);
      deltaP.push(delta);
      kld.push(window.kld[i]!);
      same += window.sameTop[i]!;
    }
  }
  const { count } = nll;
  const ppl = { value: Math.exp(nll.mean), error: Math.exp(nll.mean) * nll.error };
  const basePpl = { value: Math.exp(baseNll.mean), error: Math.exp(baseNll.mean) * baseNll.error };
  const covariance = count > 1 ? (products / count - nll.mean * baseNll.mean) / (count - 1) : 0;
  const lnRatio = { value: nll.mean - baseNll.mean, error: pairedError(nll.error, baseNll.error, covariance) };
  const ratio = Math.exp(lnRatio.value);
  const rms = Math.sqrt(squaredDelta.mean);
  const sameTop = same / count;
  return {
    ppl,
    basePpl,
    correlation: covariance / (nll.error * baseNll.error),
    lnRatio,
    ratio: { value: ratio, error: ratio * lnRatio.error },
    difference: {
      value: ppl.value - basePpl.value,
      error: pairedError(ppl.error, basePpl.error, ppl.value * basePpl.value * covariance),
    },
    kld: distribution(kld, kldPercentages),
    deltaP: distribution(deltaP, deltaPercentages),
    rmsDeltaP: { value: rms, error: rms > 0 ? (0.5 / rms) * squaredDelta.error : 0 },
    sameTop: { value: sameTop, error: count > 1 ? Math.sqrt((sameTop * (1 - sameTop)) / (count - 1)) : 0 },
    tokensScored: count,
  };
}

/** Rounding may leave a variance slightly below 0 when both models are the same. */
const pairedError = (a: number, b: number, covariance: number): number =>
  Math.sqrt(Math.max(0, a * a + b * b - 2 * covariance));

function distribution(values: readonly number[], percentages: readonly number[]): Distribution {
  const sorted = Float64Array.from(values).sort();
  return {
    ...new Moments().addAll(values).estimate,
    min: sorted[0]!,
    max: sorted.at(-1)!,
    median: quantile(sorted, 0.5),
    percentiles: Object.fromEntries(percentages.map((p) => [`p${p}`, quantile(sorted, p / 100)])),
  };
}

/** Between two values: linearly. */
function quantile(sorted: Float64Array, fraction: number): number {
  const place = fraction * (sorted.length - 1);
  const below = Math.floor(place);
  const part = place - below;
  return (1 - part) * sorted[below]! + part * sorted[Math.min(below + 1, sorted.length - 1)]!;
}
