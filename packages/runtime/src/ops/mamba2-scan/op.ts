import { QuernError } from '@quern/errors';
import type { Op } from '../op.ts';
import { checkSlotsOfSequences, sequenceOperands } from '../sequences.ts';
import { mamba2ScanCpu } from './cpu.ts';
import { mamba2ScanWgsl } from './kernel.wgsl.ts';
import { mamba2ScanReference } from './reference.ts';

export const mamba2Scan: Op<'mamba2Scan'> = {
  name: 'mamba2Scan',
  formula:
    'for each token, with Δ = softplus(dt), at least dtMin and at most dtMax: state = e^(Δ·a) · state + Δ · x ⊗ b; ' +
    'y = state · c + d · x, head by head. xbc has x of all heads, then b and c of all groups; head h is of group ' +
    '⌊h · groups / heads⌋',
  inputs: [
    { name: 'xbc', dtype: 'F32', shape: ['T', 'row'] },
    { name: 'dt', dtype: 'F32', shape: ['T', 'heads'] },
    { name: 'a', dtype: 'F32', shape: ['heads'] },
    { name: 'd', dtype: 'F32', shape: ['heads'] },
    { name: 'state', dtype: 'F32', shape: ['slots', 'heads', 'headDim', 'stateDim'], updated: true },
    ...sequenceOperands,
  ],
  output: { name: 'y', dtype: 'F32', shape: ['T', 'heads*headDim'] },
  params: {
    groups: { kind: 'integer', min: 1 },
    dtMin: { kind: 'number', min: 0, optional: true },
    dtMax: { kind: 'number', min: 0, optional: true },
  },
  tolerance: 1e-11,
  reference: mamba2ScanReference,
  cpu: mamba2ScanCpu,
  wgsl: mamba2ScanWgsl,
  checkDims(dims) {
    const { heads, groups, headDim, stateDim, row } = dims as Record<string, number>;
    if (heads! % groups!)
      throw new QuernError('op-bad-param', `mamba2Scan: ${heads} heads cannot share ${groups} groups evenly`);
    const expected = heads! * headDim! + 2 * groups! * stateDim!;
    if (row !== expected)
      throw new QuernError('op-bad-shape', `mamba2Scan: xbc has rows of ${row}, expected ${expected}`);
  },
  checkIndices: (indices) => checkSlotsOfSequences('mamba2Scan', indices),
};
