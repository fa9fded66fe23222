import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Ranking } from './ranking.ts';

const logits = fc.array(
  fc.oneof(
    fc.float({ noNaN: true }),
    fc.constantFrom(0, -0, 1, -1, Number.NEGATIVE_INFINITY), // ties and the ends of the range
  ),
  { minLength: 1, maxLength: 3000, size: 'max' }, // beyond what is sorted at first
);

it('equals a sort by falling logit and rising id, asked for in any order', () => {
  fc.assert(
    fc.property(logits, fc.integer({ min: 1, max: 3100 }), fc.array(fc.nat()), (values, count, lookups) => {
      const floats = Float32Array.from(values);
      // Infinities of one sign give NaN, which || turns into the comparison of ids.
      const sorted = [...floats.keys()].sort((a, b) => floats[b] - floats[a] || a - b).slice(0, count);
      const ranking = new Ranking(floats, count);
      expect(ranking.count).toBe(sorted.length);
      for (const lookup of lookups) expect(ranking.token(lookup % sorted.length)).toBe(sorted[lookup % sorted.length]);
      expect(sorted.map((_, rank) => ranking.token(rank))).toEqual(sorted);
      expect(sorted.map((_, rank) => ranking.logit(rank))).toEqual(sorted.map((id) => floats[id]));
    }),
  );
});
