import type { Op } from '../op.ts';
import { rmsNormCpu } from './cpu.ts';
import { rmsNormWgsl } from './kernel.wgsl.ts';
import { rmsNormReference } from './reference.ts';

export const rmsNorm: Op<'rmsNorm'> = {
  name: 'rmsNorm',
  formula: 'y = x / sqrt(mean(x²) + eps) · weight',
  inputs: [
    { name: 'x', dtype: 'F32', shape: ['N', 'C'], mayAlias: true },
    { name: 'weight', dtype: 'F32', shape: ['C'] },
  ],
  output: { name: 'y', dtype: 'F32', shape: ['N', 'C'] },
  params: { eps: { kind: 'number', min: 0 } },
  tolerance: 1e-13,
  reference: rmsNormReference,
  cpu: rmsNormCpu,
  wgsl: rmsNormWgsl,
};
