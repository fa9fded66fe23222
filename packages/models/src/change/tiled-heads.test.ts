import fc from 'fast-check';
import { expect, it } from 'vitest';
import { comesBack, elements, numbered, placeWith } from '../testing/change-of-numbers.ts';
import { tiledColumns, tiledRows } from './tiled-heads.ts';

it('puts value heads in turns, and leaves what stands before them', async () => {
  const place = placeWith({ ssmGroups: 2, ssmHeads: 6, keys: 1, head: 1 });
  const change = tiledRows({ before: 'keys', headSize: 'head' });
  // G0: 1 2 3, G1: 4 5 6
  expect(await elements(change.toGguf(numbered([7]), place, [7]))).toEqual([0, 1, 4, 2, 5, 3, 6]);
});

it('comes back, by rows and by columns', async () => {
  const sizes = fc.record({
    ssmGroups: fc.integer({ min: 1, max: 3 }),
    perGroup: fc.integer({ min: 1, max: 3 }),
    head: fc.integer({ min: 1, max: 4 }),
    keys: fc.nat(5),
  });
  await fc.assert(
    fc.asyncProperty(sizes, async ({ ssmGroups, perGroup, head, keys }) => {
      const place = placeWith({ ssmGroups, ssmHeads: ssmGroups * perGroup, head, keys });
      const count = keys + ssmGroups * perGroup * head;
      expect(await comesBack(tiledRows({ before: 'keys', headSize: 'head' }), [count, 2], place)).toBe(true);
      expect(await comesBack(tiledColumns({ before: 'keys', headSize: 'head' }), [2, count], place)).toBe(true);
    }),
    { numRuns: 30 },
  );
});
