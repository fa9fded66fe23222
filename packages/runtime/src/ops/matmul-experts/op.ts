import type { Op } from '../op.ts';
import { checkSlots } from '../slots.ts';
import { matmulExpertsCpu } from './cpu.ts';
import { matmulExpertsWgsl } from './kernel.wgsl.ts';
import { matmulExpertsReference } from './reference.ts';

export const matmulExperts: Op<'matmulExperts'> = {
  name: 'matmulExperts',
  formula: 'y[t·used + n] = x[row] · w[ids[t][n]]ᵀ; row is t when x has T rows, t·used + n when it has T·used',
  inputs: [
    { name: 'x', dtype: 'F32', shape: ['N', 'C'] },
    { name: 'w', dtype: 'weights', shape: ['E', 'R', 'C'] },
    { name: 'ids', dtype: 'I32', shape: ['T', 'used'], below: 'E' },
  ],
  output: { name: 'y', dtype: 'F32', shape: ['T*used', 'R'] },
  params: {},
  tolerance: 1e-12,
  reference: matmulExpertsReference,
  cpu: matmulExpertsCpu,
  wgsl: matmulExpertsWgsl,
  checkDims: (dims) => checkSlots('matmulExperts', dims),
};
