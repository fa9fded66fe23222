// Mirostat (Basu et al. 2020, arXiv:2007.14966): keeps the surprise of the chosen tokens near τ bits, by a bound μ that
// each choice moves. Version 1 finds how many tokens to keep from an estimated Zipf exponent; version 2 drops the tokens
// whose surprise is above μ.
import type { Candidates } from '../candidates.ts';
import type { ResolvedSampling } from '../options.ts';
import { drawIndex, type Uniform } from '../uniform.ts';
import type { Choice } from './choice.ts';

/** Tokens that version 1 estimates the exponent from. */
const SAMPLE = 100;
const f = Math.fround;
const surpriseOf = (p: number): number => f(-f(Math.log2(p)));

export function mirostat(options: ResolvedSampling, uniform: Uniform, vocabSize: number): Choice {
  const [tau, eta] = [f(options.mirostatTau), f(options.mirostatEta)];
  let mu = f(2 * tau);
  return {
    choose(candidates) {
      candidates.sort();
      candidates.softmax();
      candidates.keepHighest(options.mirostat === 1 ? wanted(candidates, mu, vocabSize) : unsurprising(candidates, mu));
      candidates.softmax();
      const chosen = drawIndex(candidates.p, candidates.size, uniform);
      mu = f(mu - f(eta * f(surpriseOf(candidates.p[chosen]) - tau)));
      return chosen;
    },
  };
}

function unsurprising({ p, size }: Candidates, mu: number): number {
  const first = p.subarray(0, size).findIndex((one) => surpriseOf(one) > mu);
  return first < 0 ? size : Math.max(1, first);
}

function wanted({ p, size }: Candidates, mu: number, vocabSize: number): number {
  let [products, squares] = [0, 0];
  for (let i = 0; i < SAMPLE - 1 && i < size - 1; i++) {
    const t = f(Math.log(f((i + 2) / (i + 1))));
    const b = f(Math.log(f(p[i] / p[i + 1])));
    products = f(products + f(t * b));
    squares = f(squares + f(t * t));
  }
  const exponent = f(products / squares);
  const above = f(exponent - 1);
  const numerator = f(above * f(2 ** mu));
  const k = f(f(numerator / f(1 - f(vocabSize ** -above))) ** f(1 / exponent));
  return Number.isNaN(k) ? 1 : Math.max(1, Math.min(size, Math.trunc(k)));
}
