import type { OpSpec } from '../spec.ts';

export const scale: OpSpec<'scale'> = {
  name: 'scale',
  formula: 'y = x · factor',
  inputs: [{ name: 'x', dtype: 'F32', shape: ['…'], mayAlias: true }],
  output: { name: 'y', dtype: 'F32', shape: ['…'] },
  params: { factor: { kind: 'number' } },
  tolerance: 0,
};
