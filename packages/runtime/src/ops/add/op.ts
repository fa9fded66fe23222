import type { OpSpec } from '../spec.ts';

export const add: OpSpec<'add'> = {
  name: 'add',
  formula: 'y = a + b',
  inputs: [
    { name: 'a', dtype: 'F32', shape: ['…'], mayAlias: true },
    { name: 'b', dtype: 'F32', shape: ['…'], mayAlias: true },
  ],
  output: { name: 'y', dtype: 'F32', shape: ['…'] },
  params: {},
  tolerance: 0,
};
