import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lookUp } from './ngram-source.ts';

describe('looking the last tokens up', () => {
  it('gives what stood behind their latest earlier place', () => {
    expect(lookUp([1, 2, 3, 9, 1, 2, 3, 7, 5, 1, 2, 3], 3, 2)).toEqual([7, 5]);
    expect(lookUp([1, 2, 3, 9, 1, 2, 4], 3, 2)).toEqual([]);
    expect(lookUp([1, 2], 3, 2)).toEqual([]);
    expect(lookUp([], 1, 2)).toEqual([]);
  });

  it('goes on with a repetition of any period, longer or shorter than what is looked up', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(50), { minLength: 1, maxLength: 9 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 40 }),
        fc.nat(8),
        (period, size, most, cut) => {
          const endless = (i: number): number => period[i % period.length]!;
          const length = size + period.length + cut;
          const tokens = Array.from({ length }, (_, i) => endless(i));
          expect(lookUp(tokens, size, most)).toEqual(Array.from({ length: most }, (_, i) => endless(length + i)));
        },
      ),
    );
  });

  it('guesses only where the last tokens stand once more', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(2), { maxLength: 30 }), fc.integer({ min: 1, max: 4 }), (tokens, size) => {
        const last = tokens.slice(-size);
        const stands = tokens.some((_, i) => i + size < tokens.length && last.every((t, k) => t === tokens[i + k]));
        expect(lookUp(tokens, size, 3).length > 0).toBe(tokens.length >= size && stands);
      }),
    );
  });
});
