import { QuernError } from '@quern/errors';
import type { Op } from '../op.ts';
import { addExpertBiasCpu } from './cpu.ts';
import { addExpertBiasWgsl } from './kernel.wgsl.ts';
import { addExpertBiasReference } from './reference.ts';

export const addExpertBias: Op<'addExpertBias'> = {
  name: 'addExpertBias',
  formula: 'y[t·used + n] = x[t·used + n] + bias[ids[t][n]]',
  inputs: [
    { name: 'x', dtype: 'F32', shape: ['N', 'R'], mayAlias: true },
    { name: 'bias', dtype: 'F32', shape: ['E', 'R'] },
    { name: 'ids', dtype: 'I32', shape: ['T', 'used'], below: 'E' },
  ],
  output: { name: 'y', dtype: 'F32', shape: ['T*used', 'R'] },
  checkDims({ N, T, used }) {
    if (N !== T! * used!)
      throw new QuernError('op-bad-shape', `addExpertBias: x has ${N} rows, expected T*used=${T! * used!}`);
  },
  params: {},
  tolerance: 0,
  reference: addExpertBiasReference,
  cpu: addExpertBiasCpu,
  wgsl: addExpertBiasWgsl,
};
