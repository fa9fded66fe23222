import type { Op } from '../op.ts';
import { softmaxCpu } from './cpu.ts';
import { softmaxWgsl } from './kernel.wgsl.ts';
import { softmaxReference } from './reference.ts';

export const softmax: Op<'softmax'> = {
  name: 'softmax',
  formula: 'y = e^(x − max) / Σ e^(x − max), row by row',
  inputs: [{ name: 'x', dtype: 'F32', shape: ['N', 'C'], mayAlias: true }],
  output: { name: 'y', dtype: 'F32', shape: ['N', 'C'] },
  params: {},
  tolerance: 1e-12,
  reference: softmaxReference,
  cpu: softmaxCpu,
  wgsl: softmaxWgsl,
};
