import type { OpSpec } from '../spec.ts';

export const matmul: OpSpec<'matmul'> = {
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
};
