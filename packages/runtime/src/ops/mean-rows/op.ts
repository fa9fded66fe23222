import type { Op } from '../op.ts';
import { meanRowsCpu } from './cpu.ts';
import { meanRowsWgsl } from './kernel.wgsl.ts';
import { meanRowsReference } from './reference.ts';

export const meanRows: Op<'meanRows'> = {
  name: 'meanRows',
  formula: 'y[s] = the mean of the rows x[t] with seq[t] = s; zeros where there are none',
  inputs: [
    { name: 'x', dtype: 'F32', shape: ['T', 'C'] },
    { name: 'seq', dtype: 'I32', shape: ['T'], below: 'S' },
  ],
  output: { name: 'y', dtype: 'F32', shape: ['S', 'C'] },
  params: {},
  tolerance: 1e-12,
  reference: meanRowsReference,
  cpu: meanRowsCpu,
  wgsl: meanRowsWgsl,
};
