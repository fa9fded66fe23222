import { QuernError } from '@quern/errors';
import type { Op } from '../op.ts';
import { ropeCpu } from './cpu.ts';
import { ropeWgsl } from './kernel.wgsl.ts';
import { ropeReference } from './reference.ts';

export const rope: Op<'rope'> = {
  name: 'rope',
  formula: "(a, b) → (a·cos − b·sin, a·sin + b·cos); 'norm' pairs (2i, 2i+1), 'neox' pairs (i, i + rotaryDim/2)",
  inputs: [
    { name: 'x', dtype: 'F32', shape: ['T', 'heads*headDim'], mayAlias: true },
    { name: 'cos', dtype: 'F32', shape: ['T', 'rotaryDim/2'] },
    { name: 'sin', dtype: 'F32', shape: ['T', 'rotaryDim/2'] },
  ],
  output: { name: 'y', dtype: 'F32', shape: ['T', 'heads*headDim'] },
  params: {
    heads: { kind: 'integer', min: 1 },
    headDim: { kind: 'integer', min: 2 },
    rotaryDim: { kind: 'integer', min: 2, multipleOf: 2 },
    style: { kind: 'choice', of: ['norm', 'neox'] },
  },
  tolerance: 1e-13,
  reference: ropeReference,
  cpu: ropeCpu,
  wgsl: ropeWgsl,
  checkDims({ rotaryDim, headDim }) {
    if (rotaryDim! > headDim!)
      throw new QuernError('op-bad-param', `rope: rotaryDim ${rotaryDim} is larger than headDim ${headDim}`);
  },
};
