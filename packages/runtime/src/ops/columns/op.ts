import { QuernError } from '@quern/errors';
import type { Op } from '../op.ts';
import { columnsCpu } from './cpu.ts';
import { columnsWgsl } from './kernel.wgsl.ts';
import { columnsReference } from './reference.ts';

export const columns: Op<'columns'> = {
  name: 'columns',
  formula: 'y[n] = x[n][first … first + W − 1]',
  inputs: [{ name: 'x', dtype: 'F32', shape: ['N', 'C'] }],
  output: { name: 'y', dtype: 'F32', shape: ['N', 'W'] },
  params: { first: { kind: 'integer', min: 0 } },
  tolerance: 0,
  reference: columnsReference,
  cpu: columnsCpu,
  wgsl: columnsWgsl,
  checkDims({ C, W, first }) {
    if (first! + W! > C!)
      throw new QuernError('op-bad-shape', `columns: ${first} … ${first! + W! - 1} are not all columns of ${C}`);
  },
};
