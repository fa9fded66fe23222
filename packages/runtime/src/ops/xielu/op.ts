import type { Op } from '../op.ts';
import { xieluCpu } from './cpu.ts';
import { xieluWgsl } from './kernel.wgsl.ts';
import { xieluReference } from './reference.ts';

export const xielu: Op<'xielu'> = {
  name: 'xielu',
  formula:
    'y = alphaP · x² + beta · x where x > 0, else alphaN · (e^min(x, eps) − 1 − x) + beta · x (arXiv 2411.13010)',
  inputs: [{ name: 'x', dtype: 'F32', shape: ['…'], mayAlias: true }],
  output: { name: 'y', dtype: 'F32', shape: ['…'] },
  params: {
    alphaP: { kind: 'number' },
    alphaN: { kind: 'number' },
    beta: { kind: 'number' },
    eps: { kind: 'number' },
  },
  tolerance: 1e-12,
  reference: xieluReference,
  cpu: xieluCpu,
  wgsl: xieluWgsl,
};
