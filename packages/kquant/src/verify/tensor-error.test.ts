import { expect, test } from 'vitest';
import { addErrors, figuresOf, noError, sumErrors } from './tensor-error.ts';

const figures = (source: number[], written: number[]) =>
  figuresOf(sumErrors(Float32Array.from(source), Float32Array.from(written)));

test('by hand: x = (3, 4), w = (3, 2)', () => {
  expect(figures([3, 4], [3, 2])).toEqual({
    relativeRmse: 2 / 5,
    largestError: 2,
    cosine: 17 / (5 * Math.sqrt(13)),
    nonFinite: 0,
  });
});

test('equal weights, zeros among them, have no error', () => {
  for (const values of [
    [0, 0],
    [1, -2, 0],
  ])
    expect(figures(values, values)).toMatchObject({ relativeRmse: 0, largestError: 0, nonFinite: 0 });
  expect(figures([0, 0], [0, 0]).cosine).toBe(1);
});

test('zeros for weights are an error of 1, and weights for zeros too', () => {
  expect(figures([3, 4], [0, 0])).toMatchObject({ relativeRmse: 1, cosine: 0 });
  expect(figures([0, 0], [3, 4])).toMatchObject({ relativeRmse: 1, cosine: 0 });
});

test.each([
  [
    [1, 2],
    [1, Number.NaN],
  ],
  [
    [1, Number.POSITIVE_INFINITY],
    [1, Number.POSITIVE_INFINITY],
  ],
  [
    [1, 2],
    [1, Number.NEGATIVE_INFINITY],
  ],
])('what is not finite is counted: %j, %j', (source, written) => {
  expect(figures(source, written)).toMatchObject({ nonFinite: 1, largestError: Number.NaN });
});

test('sums of parts are sums of the whole', () => {
  const whole = sumErrors(Float32Array.of(1, 2, 3, 4), Float32Array.of(1, 2.5, 2, 4));
  const sum = noError();
  addErrors(sum, sumErrors(Float32Array.of(1, 2), Float32Array.of(1, 2.5)));
  addErrors(sum, sumErrors(Float32Array.of(3, 4), Float32Array.of(2, 4)));
  expect(sum).toEqual(whole);
});
