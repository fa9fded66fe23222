import { QuernError } from '@quern/errors';
import type { Op } from '../op.ts';
import { rmsNormCpu } from './cpu.ts';
import { rmsNormWgsl } from './kernel.wgsl.ts';
import { rmsNormReference } from './reference.ts';

export const rmsNorm: Op<'rmsNorm'> = {
  name: 'rmsNorm',
  formula:
    'y = x / sqrt(mean(x²) + eps) · weight; with `groups` the mean is that of each of so many equal parts of a row',
  inputs: [
    { name: 'x', dtype: 'F32', shape: ['N', 'C'], mayAlias: true },
    { name: 'weight', dtype: 'F32', shape: ['C'], optional: true },
  ],
  output: { name: 'y', dtype: 'F32', shape: ['N', 'C'] },
  params: { eps: { kind: 'number', min: 0 }, groups: { kind: 'integer', min: 1, optional: true } },
  tolerance: 1e-13,
  reference: rmsNormReference,
  cpu: rmsNormCpu,
  wgsl: rmsNormWgsl,
  checkDims({ C, groups = 1 }) {
    if (C! % groups)
      throw new QuernError('op-bad-param', `rmsNorm: ${groups} groups do not divide rows of ${C} evenly`);
  },
};
