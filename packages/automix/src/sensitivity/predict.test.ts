import fc from 'fast-check';
import { expect, test } from 'vitest';
import { predictDivergence } from './predict.ts';

const positive = fc.double({ min: 1e-6, max: 1e6, noNaN: true });

test('what was measured comes out as it was, and a larger error of one tensor costs more', () => {
  fc.assert(
    fc.property(positive, positive, positive, positive, positive, (e, more, k, moreK, asked) => {
      const measured = [
        { squaredError: e + more, kld: k + moreK },
        { squaredError: e, kld: k },
      ];
      for (const { squaredError, kld } of measured)
        expect(predictDivergence(measured, squaredError)! / kld).toBeCloseTo(1, 9);
      expect(predictDivergence(measured, asked * 1.01)!).toBeGreaterThanOrEqual(predictDivergence(measured, asked)!);
    }),
  );
});

test('proportional to the error outside of what was measured, and with one point', () => {
  const two = [
    { squaredError: 4, kld: 0.02 },
    { squaredError: 16, kld: 0.2 },
  ];
  expect(predictDivergence(two, 2)).toBeCloseTo(0.01, 12);
  expect(predictDivergence(two, 160)).toBeCloseTo(2, 12);
  expect(predictDivergence(two, 8)).toBeCloseTo(Math.sqrt(0.02 * 0.2), 12);
  expect(predictDivergence(two.slice(1), 4)).toBeCloseTo(0.05, 12);
});

test('nothing changed costs nothing; nothing known says nothing', () => {
  expect(predictDivergence([], 0)).toBe(0);
  expect(predictDivergence([{ squaredError: 0, kld: 0 }], 1)).toBeUndefined();
  // A divergence lost in rounding does not make everything free.
  expect(predictDivergence([{ squaredError: 1, kld: -1e-8 }], 10)).toBeGreaterThan(0);
});
