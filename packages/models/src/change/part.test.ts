// Parts of every kind: cut out of a whole, they are what numpy's slices are, and together they are the whole again.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { elements, numbered, rangesAreTheWhole } from '../testing/change-of-numbers.ts';
import { joinedParts, type Part, partOf, wholeShape } from './part.ts';

it.each<[string, Part, number[], Record<string, number>, number[]]>([
  ['k of q, k, v', { index: 1, of: ['q', 'k', 'k'] }, [1, 2], { q: 2, k: 1 }, [4, 5]],
  ['up of stacked gate and up', { index: 1, of: ['f', 'f'] }, [2, 1, 2], { f: 1 }, [2, 3, 6, 7]],
  ['v of kv_b by heads', { index: 1, of: ['k', 'v'], flat: true }, [2, 1, 2], { k: 2, v: 1 }, [4, 5, 10, 11]],
  ['up of alternating rows', { index: 1, of: ['f', 'f'], alternating: true }, [2, 2], { f: 2 }, [2, 3, 6, 7]],
  [
    'up of alternating columns',
    { index: 1, of: ['f', 'f'], alternating: true, columns: true },
    [2, 2],
    { f: 2 },
    [1, 3, 5, 7],
  ],
  ['elements of a vector', { index: 1, of: ['q', 'k'] }, [2], { q: 1, k: 2 }, [1, 2]],
])('%s', async (_, part, shape, sizes, expected) => {
  const whole = numbered(wholeShape(part, shape, sizes));
  const cut = partOf(whole, part, shape, sizes);
  expect(cut.shape).toEqual(shape);
  expect(await elements(cut)).toEqual(expected);
});

it('together they are the whole', async () => {
  const kinds = fc.record({
    groups: fc.integer({ min: 1, max: 3 }),
    sizes: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 2, maxLength: 3 }),
    kind: fc.constantFrom('rows', 'flat', 'alternating', 'columns', 'vector'),
  });
  await fc.assert(
    fc.asyncProperty(kinds, async ({ groups, sizes: each, kind }) => {
      const equal = kind === 'alternating' ? each.map(() => each[0]!) : each;
      const sizes = Object.fromEntries(equal.map((size, i) => [`d${i}`, size]));
      const base = {
        of: Object.keys(sizes),
        ...(kind === 'flat' && { flat: true as const }),
        ...(kind === 'alternating' && { alternating: true as const }),
        ...(kind === 'columns' && { columns: true as const }),
      };
      const shapeOf = (size: number) =>
        kind === 'vector' ? [groups * size] : kind === 'columns' ? [2, groups * size] : [groups, size, 2];
      const parts = equal.map((size, index): [Part, number[]] => [{ ...base, index }, shapeOf(size)]);
      const whole = numbered(wholeShape(parts[0]![0], parts[0]![1], sizes));
      const cuts = parts.map(([part, shape]) => partOf(whole, part, shape, sizes));
      for (const cut of cuts) expect(await rangesAreTheWhole(cut)).toBe(true);
      const back = joinedParts(cuts, parts[0]![0], whole.shape, sizes, 'whole');
      expect(back.shape).toEqual(whole.shape);
      expect(await elements(back)).toEqual(await elements(whole));
      expect(await rangesAreTheWhole(back)).toBe(true);
    }),
    { numRuns: 60 },
  );
});
