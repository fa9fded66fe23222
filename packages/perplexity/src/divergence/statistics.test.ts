import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareRow, logProbsOf } from './row.ts';
import { divergenceOf } from './statistics.ts';

const row = (vocab: number) =>
  fc.array(fc.float({ min: -12, max: 12, noNaN: true }), { minLength: vocab, maxLength: vocab });

const baseOf = (logits: number[]): Float32Array => {
  const base = new Float32Array(logits.length);
  logProbsOf(Float32Array.from(logits), base);
  return base;
};

describe('compareRow', () => {
  it('is 0 for the same distribution, whatever is added to the logits', () => {
    fc.assert(
      fc.property(row(9), fc.integer({ min: -50, max: 50 }), (logits, shift) => {
        const { kld, nll, baseNll, sameTop } = compareRow(
          baseOf(logits),
          Float32Array.from(logits, (logit) => logit + shift),
          4,
        );
        expect(Math.abs(kld)).toBeLessThan(3e-5);
        expect(nll).toBeCloseTo(baseNll, 4);
        const top = logits.indexOf(Math.max(...logits));
        const second = Math.max(...logits.filter((_, i) => i !== top));
        if (logits[top]! - second > 1e-4) expect(sameTop).toBe(true);
      }),
    );
  });

  it('is not negative, and what the definition says', () => {
    fc.assert(
      fc.property(row(9), row(9), (logits, other) => {
        const soft = (values: number[]) => {
          const sum = values.reduce((total, value) => total + Math.exp(value), 0);
          return values.map((value) => Math.exp(value) / sum);
        };
        const [p, q] = [soft(logits), soft(other)];
        const expected = p.reduce(
          (sum, value, i) => sum + (value < Math.exp(-16) ? 0 : value * Math.log(value / q[i]!)),
          0,
        );
        const { kld, nll } = compareRow(baseOf(logits), Float32Array.from(other), 2);
        expect(Math.abs(kld - expected)).toBeLessThan(2e-4 + 1e-5 * expected);
        expect(kld).toBeGreaterThan(-1e-4);
        expect(nll).toBeCloseTo(-Math.log(q[2]!), 4);
      }),
    );
  });

  it('takes the first of several likeliest tokens', () => {
    const base = baseOf([0, 3, 3, 0]);
    expect(compareRow(base, Float32Array.of(0, 1, 1, 0), 0).sameTop).toBe(true);
    expect(compareRow(base, Float32Array.of(0, 1, 2, 0), 0).sameTop).toBe(false);
  });

  it('leaves out what the base gives less than e^-16', () => {
    expect(compareRow(baseOf([20, 0]), Float32Array.of(20, -1000), 0).kld).toBeLessThan(1e-6);
  });
});

describe('divergenceOf', () => {
  const window = (nll: number[], baseNll: number[], kld = nll, sameTop = nll.map(() => 1)) => ({
    nll: Float32Array.from(nll),
    comparison: {
      baseNll: Float32Array.from(baseNll),
      kld: Float32Array.from(kld),
      sameTop: Uint8Array.from(sameTop),
    },
  });

  it('finds no difference between a model and itself', () => {
    const nll = Array.from({ length: 40 }, (_, i) => 1 + Math.sin(i) ** 2);
    const { lnRatio, ratio, difference, correlation, deltaP, rmsDeltaP, sameTop } = divergenceOf([window(nll, nll)]);
    expect(lnRatio.value).toBe(0);
    expect(lnRatio.error).toBeLessThan(1e-8);
    expect([ratio.value, difference.value, rmsDeltaP.value, deltaP.max, sameTop.value]).toEqual([1, 0, 0, 0, 1]);
    expect(correlation).toBeCloseTo(1, 9);
  });

  it('has the error of paired differences, far below that of either model', () => {
    const base = Array.from({ length: 200 }, (_, i) => 3 + 2 * Math.sin(7 * i));
    const other = base.map((value, i) => value + 0.01 + 0.001 * Math.cos(i));
    const { lnRatio, ppl } = divergenceOf([window(other, base)]);
    expect(lnRatio.value).toBeCloseTo(0.01, 4);
    expect(lnRatio.error).toBeCloseTo((0.001 * Math.SQRT1_2) / Math.sqrt(199), 5);
    expect(ppl.error / ppl.value).toBeGreaterThan(100 * lnRatio.error);
  });

  it('interpolates percentiles between values, over all windows', () => {
    const zeros = new Array(50).fill(1);
    const kld = Array.from({ length: 101 }, (_, i) => i / 100);
    const parts = [kld.slice(0, 50).reverse(), kld.slice(50, 100), kld.slice(100)];
    const windows = parts.map((part) => window(zeros.slice(0, part.length), zeros.slice(0, part.length), part));
    const { min, max, median, percentiles, value } = divergenceOf(windows).kld;
    expect([min, max, median, value].map((x) => x.toFixed(4))).toEqual(['0.0000', '1.0000', '0.5000', '0.5000']);
    expect(percentiles['p99.9']).toBeCloseTo(0.999, 6);
    expect(percentiles['p0.1']).toBeCloseTo(0.001, 6);
  });

  it('counts the places where the likeliest token is the same', () => {
    const { sameTop } = divergenceOf([window([1, 1, 1, 1], [1, 1, 1, 1], [0, 0, 0, 0], [1, 0, 1, 1])]);
    expect(sameTop).toEqual({ value: 0.75, error: Math.sqrt((0.75 * 0.25) / 3) });
  });
});
