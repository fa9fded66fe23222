import { QuernError } from '@quern/errors';
import type { Op } from '../op.ts';
import { topKCpu } from './cpu.ts';
import { topKWgsl } from './kernel.wgsl.ts';
import { topKReference } from './reference.ts';

/** What a thread's scratch has room for. */
export const MOST_HIGHEST = 2048;

export const topK: Op<'topK'> = {
  name: 'topK',
  formula:
    'y[n] = the columns of the `count` largest x[n], the largest first, of equals the lower column, NaN behind all; ' +
    'then the bits of their values; then how many x[n] are NaN or infinite',
  inputs: [{ name: 'x', dtype: 'F32', shape: ['N', 'C'] }],
  output: { name: 'y', dtype: 'I32', shape: ['N', 'W'] },
  params: { count: { kind: 'integer', min: 1, max: MOST_HIGHEST } },
  tolerance: 0,
  reference: topKReference,
  cpu: topKCpu,
  wgsl: topKWgsl,
  checkDims({ C, W, count }) {
    if (count! > C!) throw new QuernError('op-bad-param', `topK: ${count} of ${C} columns`);
    if (W !== 2 * count! + 1)
      throw new QuernError('op-bad-shape', `topK: ${count} columns, their values and a number are not ${W} words`);
  },
};
