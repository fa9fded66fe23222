import fc from 'fast-check';
import { expect, it } from 'vitest';
import { inverseFactor } from './inverse-factor.ts';

/** A Aᵀ + I. */
const positive = (n: number, values: readonly number[]): Float64Array => {
  const h = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      let sum = i === j ? 1 : 0;
      for (let k = 0; k < n; k++) sum += values[i * n + k]! * values[j * n + k]!;
      h[i * n + j] = sum;
    }
  return h;
};

it('gives U, upper triangular, with Uᵀ U H = 1', () => {
  const size = fc.integer({ min: 1, max: 12 });
  const value = fc.double({ min: -2, max: 2, noNaN: true });
  const matrices = size.chain((n) => fc.tuple(fc.constant(n), fc.array(value, { minLength: n * n, maxLength: n * n })));
  fc.assert(
    fc.property(matrices, ([n, values]) => {
      const h = positive(n, values);
      const u = inverseFactor(h.slice(), n)!;
      for (let i = 0; i < n; i++)
        for (let j = 0; j < n; j++) {
          if (j < i) expect(u[i * n + j]).toBe(0);
          let product = 0;
          for (let k = 0; k < n; k++)
            for (let m = 0; m < n; m++) product += u[m * n + i]! * u[m * n + k]! * h[k * n + j]!;
          expect(Math.abs(product - (i === j ? 1 : 0))).toBeLessThan(1e-9 * n ** 3);
        }
    }),
  );
});

it('says when a matrix is not positive definite', () => {
  expect(inverseFactor(Float64Array.of(1, 2, 2, 1), 2)).toBeUndefined();
  expect(inverseFactor(Float64Array.of(Number.NaN), 1)).toBeUndefined();
});
