import type { Op } from '../op.ts';
import { sumSquaresCpu } from './cpu.ts';
import { sumSquaresWgsl } from './kernel.wgsl.ts';
import { sumSquaresReference } from './reference.ts';

export const sumSquares: Op<'sumSquares'> = {
  name: 'sumSquares',
  formula: 'sums[c] += Σ x[t][c]², in f32 and in the order of t (as llama-imatrix does)',
  inputs: [{ name: 'x', dtype: 'F32', shape: ['T', 'C'] }],
  output: { name: 'sums', dtype: 'F32', shape: ['C'] },
  params: {},
  tolerance: 0,
  reference: sumSquaresReference,
  cpu: sumSquaresCpu,
  wgsl: sumSquaresWgsl,
};
