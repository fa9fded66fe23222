import fc from 'fast-check';
import { expect, it } from 'vitest';
import { rank } from './ranking.ts';

const logits = fc.array(
  fc.oneof(
    fc.float({ noNaN: true }),
    fc.constantFrom(0, -0, 1, -1, Number.NEGATIVE_INFINITY), // ties and the ends of the range
  ),
  { minLength: 1, maxLength: 200 },
);

it('equals a sort by falling logit and rising id, cut to any length', () => {
  fc.assert(
    fc.property(logits, fc.integer({ min: 1, max: 220 }), (values, count) => {
      const floats = Float32Array.from(values);
      // Infinities of one sign give NaN, which || turns into the comparison of ids.
      const sorted = [...floats.keys()].sort((a, b) => floats[b] - floats[a] || a - b).slice(0, count);
      const ranked = rank(floats, count);
      expect([...ranked.ids]).toEqual(sorted);
      expect([...ranked.logits]).toEqual([...ranked.ids].map((id) => floats[id]));
    }),
    { numRuns: 500 },
  );
});
