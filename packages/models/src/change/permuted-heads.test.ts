import fc from 'fast-check';
import { expect, it } from 'vitest';
import { comesBack, elements, numbered, placeWith } from '../testing/change-of-numbers.ts';
import { halvesToPairs, pairsToHalves } from './permuted-heads.ts';

const firstColumn = (values: readonly number[], cols: number) => values.filter((_, i) => i % cols === 0);

it('interleaves the halves of every head', async () => {
  const place = placeWith({ heads: 2 });
  const tensor = halvesToPairs('heads').toGguf(numbered([8, 3]), place, [8, 3]);
  expect(firstColumn(await elements(tensor), 3).map((value) => value / 3)).toEqual([0, 2, 1, 3, 4, 6, 5, 7]);
});

it('reorders a bias by element', async () => {
  const tensor = halvesToPairs('kvHeads').toGguf(numbered([8]), placeWith({ kvHeads: 2 }), [8]);
  expect(await elements(tensor)).toEqual([0, 2, 1, 3, 4, 6, 5, 7]);
});

it('is reshape(heads, 2, half).swapaxes(1, 2), and comes back', async () => {
  const sizes = fc.record({ heads: fc.integer({ min: 1, max: 4 }), half: fc.integer({ min: 1, max: 8 }) });
  await fc.assert(
    fc.asyncProperty(sizes, async ({ heads, half }) => {
      const place = placeWith({ heads });
      const shape = [heads * half * 2, 2];
      const order: number[] = [];
      for (let head = 0; head < heads; head++)
        for (let pair = 0; pair < half; pair++)
          for (let side = 0; side < 2; side++) order.push((head * 2 + side) * half + pair);
      const change = halvesToPairs('heads');
      const tensor = change.toGguf(numbered(shape), place, shape);
      expect(firstColumn(await elements(tensor), 2).map((value) => value / 2)).toEqual(order);
      expect(order.map((row) => change.ggufRow!(row, shape[0]!, place))).toEqual(order.map((_, i) => i));
      expect(await comesBack(change, shape, place)).toBe(true);
      expect(await comesBack(change, [shape[0]!], place)).toBe(true);
    }),
    { numRuns: 30 },
  );
});

it('the other way undoes it', async () => {
  const place = placeWith({ heads: 2 });
  const pairs = halvesToPairs('heads').toGguf(numbered([12, 1]), place, [12, 1]);
  expect(await elements(pairsToHalves('heads').toGguf(pairs, place, [12, 1]))).toEqual(
    await elements(numbered([12, 1])),
  );
});

it('refuses rows that do not exist', async () => {
  const tensor = halvesToPairs('heads').toGguf(numbered([8, 3]), placeWith({ heads: 2 }), [8, 3]);
  await expect(tensor.readRows(6, 3, new Uint8Array(36))).rejects.toMatchObject({ code: 'rows-out-of-range' });
});
