import { QuernError } from '@quern/errors';
import type { Op } from '../op.ts';
import { putColumnsCpu } from './cpu.ts';
import { putColumnsWgsl } from './kernel.wgsl.ts';
import { putColumnsReference } from './reference.ts';

export const putColumns: Op<'putColumns'> = {
  name: 'putColumns',
  formula:
    'y[n][first … first + W − 1] = x[⌊n · M / N⌋]: each row of x for N/M rows of y; other columns keep their content',
  inputs: [{ name: 'x', dtype: 'F32', shape: ['M', 'W'] }],
  output: { name: 'y', dtype: 'F32', shape: ['N', 'C'] },
  params: { first: { kind: 'integer', min: 0 } },
  tolerance: 0,
  reference: putColumnsReference,
  cpu: putColumnsCpu,
  wgsl: putColumnsWgsl,
  checkDims({ M, N, C, W, first }) {
    if (N! % M!) throw new QuernError('op-bad-shape', `putColumns: ${M} rows do not divide ${N} evenly`);
    if (first! + W! > C!)
      throw new QuernError('op-bad-shape', `putColumns: ${first} … ${first! + W! - 1} are not all columns of ${C}`);
  },
};
