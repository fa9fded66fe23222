import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { figuresOf, Moments } from './figures.ts';

const figures = (...nll: number[]) => figuresOf(new Moments().addAll(nll));

describe('figuresOf', () => {
  it('gives the vocabulary size for a model that guesses evenly', () => {
    const { ppl, error } = figures(...new Array(100).fill(Math.log(4096)));
    expect(ppl).toBeCloseTo(4096, 6);
    expect(error).toBeLessThan(1e-3);
  });

  it('equals the textbook formulas, computed in two passes', () => {
    const values = fc.array(fc.float({ min: 0, max: 30, noNaN: true }), { minLength: 3, maxLength: 300 });
    fc.assert(
      fc.property(values, (nll) => {
        const mean = nll.reduce((sum, value) => sum + value, 0) / nll.length;
        const variance = nll.reduce((sum, value) => sum + (value - mean) ** 2, 0) / nll.length;
        const result = figures(...nll);
        expect(result.nllMean).toBeCloseTo(mean, 9);
        const relative = Math.sqrt(variance / (nll.length - 1));
        expect(Math.abs(result.error / result.ppl - relative)).toBeLessThan(1e-6 + 1e-6 * relative);
      }),
    );
  });

  it('has no error to give for one token', () => {
    expect(figures(1)).toMatchObject({ error: 0, tokensScored: 1 });
  });
});
