import type { Op } from '../op.ts';
import { checkSlots } from '../slots.ts';
import { sumSquaresExpertsCpu } from './cpu.ts';
import { sumSquaresExpertsWgsl } from './kernel.wgsl.ts';
import { sumSquaresExpertsReference } from './reference.ts';

export const sumSquaresExperts: Op<'sumSquaresExperts'> = {
  name: 'sumSquaresExperts',
  formula: 'sums[ids[t][n]][c] += Σ x[row][c]² in the order of t and n, in f32; row as in matmulExperts',
  inputs: [
    { name: 'x', dtype: 'F32', shape: ['N', 'C'] },
    { name: 'ids', dtype: 'I32', shape: ['T', 'used'], below: 'E' },
  ],
  output: { name: 'sums', dtype: 'F32', shape: ['E', 'C'] },
  params: {},
  tolerance: 0,
  reference: sumSquaresExpertsReference,
  cpu: sumSquaresExpertsCpu,
  wgsl: sumSquaresExpertsWgsl,
  checkDims: (dims) => checkSlots('sumSquaresExperts', dims),
};
