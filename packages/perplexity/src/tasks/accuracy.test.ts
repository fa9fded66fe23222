import { expect, it } from 'vitest';
import { accuracyOf } from './accuracy.ts';

it('has the interval that llama-perplexity prints', () => {
  // "1  0.00000000%  [0.0000%, 79.3451%]" and "5  0.00000000%  [0.0000%, 43.4482%]"
  expect(accuracyOf(0, 1).high).toBeCloseTo(0.793451, 6);
  expect(accuracyOf(0, 5)).toMatchObject({ low: 0, value: 0, high: expect.closeTo(0.434482, 6) });
});

it('has the interval of the literature', () => {
  // Newcombe, Statistics in Medicine 17 (1998), table I, method 3: 81 of 263, 15 of 148.
  const [one, other] = [accuracyOf(81, 263), accuracyOf(15, 148)];
  expect([one.low, one.high, other.low, other.high].map((value) => value.toFixed(4))).toEqual([
    '0.2553',
    '0.3662',
    '0.0624',
    '0.1605',
  ]);
});

it('stays within 0 … 1 and is symmetric', () => {
  for (const [right, tasks] of [
    [0, 7],
    [7, 7],
    [3, 7],
  ] as const) {
    const { low, high } = accuracyOf(right, tasks);
    const mirror = accuracyOf(tasks - right, tasks);
    expect(low).toBeGreaterThanOrEqual(0);
    expect(high).toBeLessThanOrEqual(1);
    expect(low + mirror.high).toBeCloseTo(1, 12);
  }
});
