import fc from 'fast-check';
import { expect, it } from 'vitest';
import { comesBack, elements, numbered, placeWith } from '../testing/change-of-numbers.ts';
import { transposed, transposedTensor } from './transposed.ts';

it('makes rows of columns', async () => {
  expect(await elements(transposedTensor(numbered([2, 3])))).toEqual([0, 3, 1, 4, 2, 5]);
});

it('comes back, stacks matrix by matrix', async () => {
  const shapes = fc.tuple(
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 1, max: 6 }),
    fc.integer({ min: 1, max: 6 }),
  );
  await fc.assert(
    fc.asyncProperty(shapes, async ([matrices, rows, cols]) => {
      expect(await comesBack(transposed, [matrices, rows, cols], placeWith({}))).toBe(true);
      expect(await comesBack(transposed, [rows, cols], placeWith({}))).toBe(true);
    }),
    { numRuns: 20 },
  );
});

it('walks matrices that are larger than a block', async () => {
  const [rows, cols] = [3000, 700]; // 8.4 MB
  const tensor = transposedTensor(numbered([rows, cols]));
  const values = await elements(tensor, 100, 102);
  expect(values.slice(0, 3)).toEqual([100, 800, 1500]);
  expect(values.at(-1)).toBe((rows - 1) * cols + 101);
});
