import type { Op } from '../op.ts';
import { gateRowsCpu } from './cpu.ts';
import { gateRowsWgsl } from './kernel.wgsl.ts';
import { gateRowsReference } from './reference.ts';

export const gateRows: Op<'gateRows'> = {
  name: 'gateRows',
  formula: 'y[n] = x[n] · sigmoid(gate[n])',
  inputs: [
    { name: 'x', dtype: 'F32', shape: ['N', 'C'], mayAlias: true },
    { name: 'gate', dtype: 'F32', shape: ['N'] },
  ],
  output: { name: 'y', dtype: 'F32', shape: ['N', 'C'] },
  params: {},
  tolerance: 1e-12,
  reference: gateRowsReference,
  cpu: gateRowsCpu,
  wgsl: gateRowsWgsl,
};
