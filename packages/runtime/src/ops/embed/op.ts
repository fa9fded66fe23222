import type { Op } from '../op.ts';
import { embedCpu } from './cpu.ts';
import { embedWgsl } from './kernel.wgsl.ts';
import { embedReference } from './reference.ts';

export const embed: Op<'embed'> = {
  name: 'embed',
  formula: 'y[t] = decode(table[ids[t]])',
  inputs: [
    { name: 'table', dtype: 'weights', shape: ['vocab', 'C'] },
    { name: 'ids', dtype: 'I32', shape: ['T'], below: 'vocab' },
  ],
  output: { name: 'y', dtype: 'F32', shape: ['T', 'C'] },
  params: {},
  tolerance: 0,
  reference: embedReference,
  cpu: embedCpu,
  wgsl: embedWgsl,
};
