import { expect, it } from 'vitest';
import { elements, numbered, placeWith, rangesAreTheWhole } from '../testing/change-of-numbers.ts';
import { exponential, negatedExp, plusOne, times } from './mapped-values.ts';

const place = placeWith({});

it.each([
  ['1 added', plusOne, [1, 1.5, 2]],
  ['negated exponential', negatedExp, [-1, -1.6487212707, -Math.E]],
  ['exponential', exponential, [1, 1.6487212707, Math.E]],
  ['times 3.87', times(3.87), [0, 1.935, 3.87]],
] as const)('%s, and back', async (_, change, expected) => {
  const tensor = change.toGguf(
    numbered([3, 1], (i) => i / 2),
    place,
    [3, 1],
  );
  expect(tensor.dtype.name).toBe('F32');
  expect(await elements(tensor)).toEqual(expected.map(Math.fround));
  expect(await rangesAreTheWhole(tensor)).toBe(true);
  const back = await elements(change.toCheckpoint(tensor, place, [3, 1]));
  for (const [i, value] of back.entries()) expect(value).toBeCloseTo(i / 2, 6);
});
