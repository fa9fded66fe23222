import type { Op } from '../op.ts';
import { addCpu } from './cpu.ts';
import { addWgsl } from './kernel.wgsl.ts';
import { addReference } from './reference.ts';

export const add: Op<'add'> = {
  name: 'add',
  formula: 'y = a + b',
  inputs: [
    { name: 'a', dtype: 'F32', shape: ['…'], mayAlias: true },
    { name: 'b', dtype: 'F32', shape: ['…'], mayAlias: true },
  ],
  output: { name: 'y', dtype: 'F32', shape: ['…'] },
  params: {},
  tolerance: 0,
  reference: addReference,
  cpu: addCpu,
  wgsl: addWgsl,
};
