import type { OpSpec } from '../spec.ts';

export const rmsNorm: OpSpec<'rmsNorm'> = {
  name: 'rmsNorm',
  formula: 'y = x / sqrt(mean(x²) + eps) · weight',
  inputs: [
    { name: 'x', dtype: 'F32', shape: ['N', 'C'], mayAlias: true },
    { name: 'weight', dtype: 'F32', shape: ['C'] },
  ],
  output: { name: 'y', dtype: 'F32', shape: ['N', 'C'] },
  params: { eps: { kind: 'number', min: 0 } },
  tolerance: 1e-13,
};
