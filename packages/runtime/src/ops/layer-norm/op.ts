import type { Op } from '../op.ts';
import { layerNormCpu } from './cpu.ts';
import { layerNormWgsl } from './kernel.wgsl.ts';
import { layerNormReference } from './reference.ts';

export const layerNorm: Op<'layerNorm'> = {
  name: 'layerNorm',
  formula: 'y = (x − mean(x)) / sqrt(variance(x) + eps) · weight + bias',
  inputs: [
    { name: 'x', dtype: 'F32', shape: ['N', 'C'], mayAlias: true },
    { name: 'weight', dtype: 'F32', shape: ['C'], optional: true },
    { name: 'bias', dtype: 'F32', shape: ['C'], optional: true },
  ],
  output: { name: 'y', dtype: 'F32', shape: ['N', 'C'] },
  params: { eps: { kind: 'number', min: 0 } },
  tolerance: 1e-12,
  reference: layerNormReference,
  cpu: layerNormCpu,
  wgsl: layerNormWgsl,
};
