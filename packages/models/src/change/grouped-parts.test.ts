import fc from 'fast-check';
import { expect, it } from 'vitest';
import { comesBack, elements, numbered, placeWith } from '../testing/change-of-numbers.ts';
import { partsOfGroups } from './grouped-parts.ts';

it('puts the pieces of every part together', async () => {
  const change = partsOfGroups('q', 'k', 'v');
  // Of two groups: q q k v v v, and again.
  expect(await elements(change.toGguf(numbered([12]), placeWith({ q: 2, k: 1, v: 3 }), [12]))).toEqual([
    ...[0, 1, 6, 7],
    ...[2, 8],
    ...[3, 4, 5, 9, 10, 11],
  ]);
});

it('comes back', async () => {
  const sizes = fc.record({
    q: fc.integer({ min: 1, max: 4 }),
    v: fc.integer({ min: 1, max: 4 }),
    groups: fc.integer({ min: 1, max: 4 }),
  });
  await fc.assert(
    fc.asyncProperty(sizes, async ({ groups, ...pieces }) => {
      const rows = groups * (pieces.q + pieces.v);
      expect(await comesBack(partsOfGroups('q', 'v'), [rows, 2], placeWith(pieces))).toBe(true);
    }),
    { numRuns: 30 },
  );
});
