import { QuernError } from '@quern/errors';
import type { Op } from '../op.ts';
import { hadamardCpu } from './cpu.ts';
import { hadamardWgsl } from './kernel.wgsl.ts';
import { hadamardReference } from './reference.ts';

export const hadamard: Op<'hadamard'> = {
  name: 'hadamard',
  formula:
    'each `size` neighbours times the Walsh–Hadamard matrix: y[i] = Σ (-1)^(ones in i & j) · x[j] / √size; its own inverse',
  inputs: [{ name: 'x', dtype: 'F32', shape: ['N', 'C'], mayAlias: true }],
  output: { name: 'y', dtype: 'F32', shape: ['N', 'C'] },
  params: { size: { kind: 'integer', min: 4, max: 1024 } },
  tolerance: 1e-12,
  reference: hadamardReference,
  cpu: hadamardCpu,
  wgsl: hadamardWgsl,
  checkDims({ C, size }) {
    if (size! & (size! - 1)) throw new QuernError('op-bad-shape', `hadamard: size ${size} is not a power of two`);
    if (C! % size!) throw new QuernError('op-bad-shape', `hadamard: rows of ${C} are not whole groups of ${size}`);
  },
};
