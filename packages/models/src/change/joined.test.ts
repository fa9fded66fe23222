import fc from 'fast-check';
import { expect, it } from 'vitest';
import { elements, numbered, placeWith, rangesAreTheWhole } from '../testing/change-of-numbers.ts';
import { firstRows } from './first-rows.ts';
import { joined, sliceOf } from './joined.ts';

const shifted = (shape: number[], by: number) => numbered(shape, (i) => i + by);

it('has a dimension more and the rows of all', async () => {
  const stack = joined('stack', [shifted([2, 2], 0), shifted([2, 2], 4)], [2, 2, 2]);
  expect(stack).toMatchObject({ name: 'stack', shape: [2, 2, 2], rows: 4, cols: 2, rowBytes: 8 });
  expect(await elements(stack)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

it('joins tensors of different sizes, and gives each back', async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(sizes, fc.boolean(), async (rows, vectors) => {
      const shapeOf = (size: number) => (vectors ? [size] : [size, 3]);
      const tensors = rows.map((size, i) => shifted(shapeOf(size), 100 * i));
      const total = rows.reduce((a, b) => a + b, 0);
      const whole = joined('whole', tensors, shapeOf(total));
      expect(await rangesAreTheWhole(whole)).toBe(true);
      let first = 0;
      for (const [i, tensor] of tensors.entries()) {
        const slice = sliceOf(whole, 'one', first, tensor.shape);
        expect(await elements(slice)).toEqual(await elements(tensor));
        first += rows[i]!;
      }
    }),
    { numRuns: 40 },
  );
});

it('refuses rows beyond the last', async () => {
  const stack = joined('stack', [numbered([2, 2])], [1, 2, 2]);
  await expect(stack.readRows(1, 2, new Uint8Array(16))).rejects.toMatchObject({ code: 'rows-out-of-range' });
});

it('the first rows are those of the tokens', async () => {
  const place = placeWith({ storedVocab: 4 });
  const change = firstRows('storedVocab');
  expect(change.storedShape([3, 2], place)).toEqual([4, 2]);
  expect(await elements(change.toGguf(numbered([4, 2]), place, [3, 2]))).toEqual([0, 1, 2, 3, 4, 5]);
});
