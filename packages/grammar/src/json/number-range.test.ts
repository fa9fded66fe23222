// Against comparison of the numbers themselves.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { acceptsText } from '../regex/automaton.ts';
import { searchAutomaton } from '../regex/compile.ts';
import { type Bound, integerRangePattern, numberRangePattern } from './number-range.ts';

const reader = (pattern: string | undefined): ((text: string) => boolean) => {
  const automaton = pattern === undefined ? undefined : searchAutomaton(pattern);
  return (text) => automaton !== undefined && acceptsText(automaton, text);
};
const within = (value: number, min: Bound | undefined, max: Bound | undefined): boolean =>
  (!min || (min.exclusive ? value > min.value : value >= min.value)) &&
  (!max || (max.exclusive ? value < max.value : value <= max.value));

const bound = (values: fc.Arbitrary<number>): fc.Arbitrary<Bound | undefined> =>
  fc.option(fc.record({ value: values, exclusive: fc.boolean() }), { nil: undefined });
const integers = fc.oneof(
  fc.integer({ min: -30, max: 30 }),
  fc.integer(),
  fc.constantFrom(0, -0, 2 ** 53, 1e18, -1e18, 99, 100, -100),
);
const decimals = fc.oneof(
  integers,
  fc.integer({ min: -3000, max: 3000 }).map((n) => n / 100),
  fc.constantFrom(0.5, 1e-7, -1e-7, 1.25, 99.999, 1e21),
);

describe('integers', () => {
  it('are those between the bounds', () => {
    fc.assert(
      fc.property(
        bound(fc.oneof(integers, decimals)),
        bound(fc.oneof(integers, decimals)),
        fc.array(integers, { minLength: 20 }),
        (min, max, values) => {
          const near = [min, max].flatMap((b) =>
            b ? [Math.floor(b.value) - 1, Math.floor(b.value), Math.ceil(b.value), Math.ceil(b.value) + 1] : [],
          );
          const accepts = reader(integerRangePattern({ min, max }));
          for (const value of [...values, ...near]) {
            const text = BigInt(value).toString();
            expect(accepts(text), `${text} in ${JSON.stringify({ min, max })}`).toBe(within(value, min, max));
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it.each(['01', '-0', '+1', '1.0', '1e3', '', '-'])('are not %s', (text) => {
    expect(reader(integerRangePattern({ min: { value: -10, exclusive: false } }))(text)).toBe(false);
  });
});

describe('decimals', () => {
  it('are those between the bounds', () => {
    fc.assert(
      fc.property(
        bound(decimals),
        bound(decimals),
        fc.array(decimals, { minLength: 10 }),
        fc.array(fc.integer({ min: -9, max: 9 })),
        (min, max, values, steps) => {
          const near = [min, max].flatMap((b) =>
            b ? [b.value, ...steps.map((step) => Number((b.value + step / 1000).toFixed(3)))] : [],
          );
          const accepts = reader(numberRangePattern({ min, max }));
          for (const value of [...values, ...near]) {
            const text = value.toString();
            if (text.includes('e') || Object.is(value, -0)) continue;
            expect(accepts(text), `${text} between ${JSON.stringify({ min, max })}`).toBe(within(value, min, max));
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('may have zeros behind', () => {
    const accepts = reader(
      numberRangePattern({ min: { value: 1, exclusive: false }, max: { value: 1.5, exclusive: false } }),
    );
    for (const text of ['1', '1.0', '1.50', '1.500', '1.25000']) expect(accepts(text)).toBe(true);
    for (const text of ['1.', '1.51', '0.99', '1.5001']) expect(accepts(text)).toBe(false);
  });
});
