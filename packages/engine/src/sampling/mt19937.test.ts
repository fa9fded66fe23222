import { expect, it } from 'vitest';
import { Mt19937 } from './mt19937.ts';

it('gives the number that the C++ standard states', () => {
  // [rand.predef]: the 10000th of std::mt19937 with its default seed.
  const generator = new Mt19937(5489);
  for (let i = 1; i < 10_000; i++) generator.nextUint32();
  expect(generator.nextUint32()).toBe(4123659995);
});

it('stays below 1', () => {
  const generator = new Mt19937(7);
  const drawn = Array.from({ length: 10_000 }, () => [generator.nextFloat(), generator.nextFloat24()]).flat();
  expect(Math.max(...drawn)).toBeLessThan(1);
  expect(Math.min(...drawn)).toBeGreaterThanOrEqual(0);
});
