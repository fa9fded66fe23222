import type { Op } from '../op.ts';
import { scaleCpu } from './cpu.ts';
import { scaleWgsl } from './kernel.wgsl.ts';
import { scaleReference } from './reference.ts';

export const scale: Op<'scale'> = {
  name: 'scale',
  formula: 'y = x · factor',
  inputs: [{ name: 'x', dtype: 'F32', shape: ['…'], mayAlias: true }],
  output: { name: 'y', dtype: 'F32', shape: ['…'] },
  params: { factor: { kind: 'number' } },
  tolerance: 0,
  reference: scaleReference,
  cpu: scaleCpu,
  wgsl: scaleWgsl,
};
