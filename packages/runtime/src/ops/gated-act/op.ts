import { acts } from '../acts.ts';
import type { Op } from '../op.ts';
import { gatedActCpu } from './cpu.ts';
import { gatedActWgsl } from './kernel.wgsl.ts';
import { gatedActReference } from './reference.ts';

export const gatedAct: Op<'gatedAct'> = {
  name: 'gatedAct',
  formula:
    "y = act(gate) · (up + offset); silu(g) = g / (1 + e^(−alpha · g)); gelu is its tanh form, 'gelu_pytorch_tanh', gelu_erf " +
    'the exact one; relu2 = max(g, 0)²; with `limit` gate ≤ limit and −limit ≤ up ≤ limit',
  inputs: [
    { name: 'gate', dtype: 'F32', shape: ['…'], mayAlias: true },
    { name: 'up', dtype: 'F32', shape: ['…'], mayAlias: true },
  ],
  output: { name: 'y', dtype: 'F32', shape: ['…'] },
  params: {
    act: { kind: 'choice', of: acts },
    limit: { kind: 'number', above: 0, optional: true },
    alpha: { kind: 'number', optional: true },
    offset: { kind: 'number', optional: true },
  },
  tolerance: 1e-12,
  reference: gatedActReference,
  cpu: gatedActCpu,
  wgsl: gatedActWgsl,
};
