import { expect, it } from 'vitest';
import { comesBack, placeWith } from '../testing/change-of-numbers.ts';
import { column, inGroups, squeezedKernel, squeezedRow } from './reshaped.ts';

it.each([
  ['a kernel', squeezedKernel, [6, 4]],
  ['a vector as a column', column, [6, 1]],
  ['a norm in groups', inGroups, [3, 8]],
  ['a row', squeezedRow, [7]],
] as const)('%s comes back', async (_, change, shape) => {
  expect(await comesBack(change, shape, placeWith({}))).toBe(true);
});
