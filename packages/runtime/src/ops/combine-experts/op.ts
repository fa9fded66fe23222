import type { Op } from '../op.ts';
import { combineExpertsCpu } from './cpu.ts';
import { combineExpertsWgsl } from './kernel.wgsl.ts';
import { combineExpertsReference } from './reference.ts';

export const combineExperts: Op<'combineExperts'> = {
  name: 'combineExperts',
  formula: 'y[t] = Σₙ weights[t][n] · x[t·used + n]',
  inputs: [
    { name: 'weights', dtype: 'F32', shape: ['T', 'used'] },
    { name: 'x', dtype: 'F32', shape: ['T*used', 'C'] },
  ],
  output: { name: 'y', dtype: 'F32', shape: ['T', 'C'] },
  params: {},
  tolerance: 1e-12,
  reference: combineExpertsReference,
  cpu: combineExpertsCpu,
  wgsl: combineExpertsWgsl,
};
