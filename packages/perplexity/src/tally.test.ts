import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Tally } from './tally.ts';

const figuresOf = (...batches: number[][]) => {
  const tally = new Tally();
  for (const batch of batches) tally.add(Float32Array.from(batch));
  return tally.figures();
};

describe('Tally', () => {
  it('gives the vocabulary size for a model that guesses evenly', () => {
    const even = Math.log(1 / 4096);
    const { ppl, error } = figuresOf(new Array(100).fill(even));
    expect(ppl).toBeCloseTo(4096, 1);
    expect(error).toBeLessThan(0.05);
  });

  it('equals the textbook formulas, computed in two passes', () => {
    const logProbs = fc.array(fc.float({ min: -30, max: 0, noNaN: true }), { minLength: 3, maxLength: 300 });
    fc.assert(
      fc.property(logProbs, (values) => {
        const nll = values.map((value) => -value);
        const mean = nll.reduce((sum, value) => sum + value, 0) / nll.length;
        const variance = nll.reduce((sum, value) => sum + (value - mean) ** 2, 0) / nll.length;
        const figures = figuresOf(values);
        expect(figures.nllMean).toBeCloseTo(mean, 9);
        const relative = Math.sqrt(variance / (nll.length - 1));
        expect(Math.abs(figures.error / figures.ppl - relative)).toBeLessThan(1e-6 + 1e-6 * relative);
      }),
    );
  });

  it('does not depend on how the tokens are batched', () => {
    expect(figuresOf([-1, -2], [], [-3.5])).toEqual(figuresOf([-1, -2, -3.5]));
  });

  it('has no error to give for one token', () => {
    expect(figuresOf([-1])).toMatchObject({ error: 0, tokensScored: 1 });
  });
});
