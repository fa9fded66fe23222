import { QuernError } from '@quern/errors';
import { acts } from '../acts.ts';
import type { Op } from '../op.ts';
import { gateCpu } from './cpu.ts';
import { gateWgsl } from './kernel.wgsl.ts';
import { gateReference } from './reference.ts';

export const gate: Op<'gate'> = {
  name: 'gate',
  formula: 'y[n][c] = x[n][c] · act(gate[n][⌊c / (C/G)⌋]): a gate for each number, each head, or each row',
  inputs: [
    { name: 'x', dtype: 'F32', shape: ['N', 'C'], mayAlias: true },
    { name: 'gate', dtype: 'F32', shape: ['N', 'G'] },
  ],
  output: { name: 'y', dtype: 'F32', shape: ['N', 'C'] },
  params: { act: { kind: 'choice', of: acts } },
  tolerance: 1e-12,
  reference: gateReference,
  cpu: gateCpu,
  wgsl: gateWgsl,
  checkDims({ C, G }) {
    if (C! % G!) throw new QuernError('op-bad-shape', `gate: ${G} gates do not divide rows of ${C} evenly`);
  },
};
