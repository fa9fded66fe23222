import type { Op } from '../op.ts';
import { gatedActCpu } from './cpu.ts';
import { gatedActWgsl } from './kernel.wgsl.ts';
import { gatedActReference } from './reference.ts';

export const gatedAct: Op<'gatedAct'> = {
  name: 'gatedAct',
  formula: "y = act(gate) · up; silu(g) = g / (1 + e^−g); gelu is its tanh form, 'gelu_pytorch_tanh'",
  inputs: [
    { name: 'gate', dtype: 'F32', shape: ['…'], mayAlias: true },
    { name: 'up', dtype: 'F32', shape: ['…'], mayAlias: true },
  ],
  output: { name: 'y', dtype: 'F32', shape: ['…'] },
  params: { act: { kind: 'choice', of: ['silu', 'gelu'] } },
  tolerance: 1e-12,
  reference: gatedActReference,
  cpu: gatedActCpu,
  wgsl: gatedActWgsl,
};
