import { acts } from '../acts.ts';
import type { Op } from '../op.ts';
import { actCpu } from './cpu.ts';
import { actOpWgsl } from './kernel.wgsl.ts';
import { actOpReference } from './reference.ts';

export const act: Op<'act'> = {
  name: 'act',
  formula: 'y = act(x), the acts of gatedAct',
  inputs: [{ name: 'x', dtype: 'F32', shape: ['…'], mayAlias: true }],
  output: { name: 'y', dtype: 'F32', shape: ['…'] },
  params: { act: { kind: 'choice', of: acts } },
  tolerance: 1e-12,
  // One value alone may have the whole error that WGSL allows its exp: 3 + 2|x| units in the last place.
  wgslTolerance: 1e-11,
  reference: actOpReference,
  cpu: actCpu,
  wgsl: actOpWgsl,
};
