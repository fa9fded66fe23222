import type { Op } from '../op.ts';
import { matmulCpu } from './cpu.ts';
import { matmulWgsl } from './kernel.wgsl.ts';
import { matmulReference } from './reference.ts';

export const matmul: Op<'matmul'> = {
  name: 'matmul',
  formula: 'y = x · wᵀ + bias',
  inputs: [
    { name: 'x', dtype: 'F32', shape: ['T', 'C'] },
    { name: 'w', dtype: 'weights', shape: ['R', 'C'] },
    { name: 'bias', dtype: 'F32', shape: ['R'], optional: true },
  ],
  output: { name: 'y', dtype: 'F32', shape: ['T', 'R'] },
  params: {},
  tolerance: 1e-12,
  reference: matmulReference,
  cpu: matmulCpu,
  wgsl: matmulWgsl,
};
