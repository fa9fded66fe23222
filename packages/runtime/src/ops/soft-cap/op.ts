import type { Op } from '../op.ts';
import { softCapCpu } from './cpu.ts';
import { softCapWgsl } from './kernel.wgsl.ts';
import { softCapReference } from './reference.ts';

export const softCap: Op<'softCap'> = {
  name: 'softCap',
  formula: 'y = cap · tanh(x / cap)',
  inputs: [{ name: 'x', dtype: 'F32', shape: ['…'], mayAlias: true }],
  output: { name: 'y', dtype: 'F32', shape: ['…'] },
  params: { cap: { kind: 'number', above: 0 } },
  tolerance: 1e-12,
  reference: softCapReference,
  cpu: softCapCpu,
  wgsl: softCapWgsl,
};
