import type { Op } from '../op.ts';
import { gatherRowsCpu } from './cpu.ts';
import { gatherRowsWgsl } from './kernel.wgsl.ts';
import { gatherRowsReference } from './reference.ts';

export const gatherRows: Op<'gatherRows'> = {
  name: 'gatherRows',
  formula: 'y[n] = x[rows[n]]',
  inputs: [
    { name: 'x', dtype: 'F32', shape: ['T', 'C'] },
    { name: 'rows', dtype: 'I32', shape: ['N'], below: 'T' },
  ],
  output: { name: 'y', dtype: 'F32', shape: ['N', 'C'] },
  params: {},
  tolerance: 0,
  reference: gatherRowsReference,
  cpu: gatherRowsCpu,
  wgsl: gatherRowsWgsl,
};
