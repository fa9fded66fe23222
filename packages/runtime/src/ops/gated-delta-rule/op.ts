import { QuernError } from '@quern/errors';
import type { Op } from '../op.ts';
import { checkSlotsOfSequences, sequenceOperands } from '../sequences.ts';
import { gatedDeltaRuleCpu } from './cpu.ts';
import { gatedDeltaRuleWgsl } from './kernel.wgsl.ts';
import { gatedDeltaRuleReference } from './reference.ts';

/** What a thread's scratch holds of a token. */
const MOST_KEY_DIMS = 1024;

export const gatedDeltaRule: Op<'gatedDeltaRule'> = {
  name: 'gatedDeltaRule',
  formula:
    'for each token: state = e^decay · state; state += k ⊗ (beta · (v − stateᵀ · k)); y = stateᵀ · (scale · q), head by head. ' +
    'qkv has q and k of kHeads, then v of all heads; head h has those of key head h mod kHeads, with neighbours ⌊h / neighbours⌋ mod kHeads, each x / sqrt(Σx² + normEps). ' +
    'decay is one number for a head, or one for each of its key dimensions',
  inputs: [
    { name: 'qkv', dtype: 'F32', shape: ['T', 'row'] },
    { name: 'decay', dtype: 'F32', shape: ['T', 'decays'] },
    { name: 'beta', dtype: 'F32', shape: ['T', 'heads'] },
    { name: 'state', dtype: 'F32', shape: ['slots', 'heads', 'kDim', 'vDim'], updated: true },
    ...sequenceOperands,
  ],
  output: { name: 'y', dtype: 'F32', shape: ['T', 'heads*vDim'] },
  params: {
    kHeads: { kind: 'integer', min: 1 },
    neighbours: { kind: 'integer', min: 1, optional: true },
    scale: { kind: 'number' },
    normEps: { kind: 'number', min: 0 },
  },
  tolerance: 1e-11,
  reference: gatedDeltaRuleReference,
  cpu: gatedDeltaRuleCpu,
  wgsl: gatedDeltaRuleWgsl,
  checkDims(dims) {
    const { heads, kHeads, kDim, vDim, row, decays } = dims as Record<string, number>;
    if (heads! % kHeads!)
      throw new QuernError('op-bad-param', `gatedDeltaRule: ${heads} heads cannot share ${kHeads} kHeads evenly`);
    const expected = 2 * kHeads! * kDim! + heads! * vDim!;
    if (row !== expected)
      throw new QuernError('op-bad-shape', `gatedDeltaRule: qkv has rows of ${row}, expected ${expected}`);
    if (decays !== heads && decays !== heads! * kDim!)
      throw new QuernError(
        'op-bad-shape',
        `gatedDeltaRule: decay has rows of ${decays}, expected ${heads} or ${heads! * kDim!}`,
      );
    if (kDim! > MOST_KEY_DIMS)
      throw new QuernError('op-bad-shape', `gatedDeltaRule: keys of ${kDim}, more than ${MOST_KEY_DIMS}`);
  },
  checkIndices: (indices) => checkSlotsOfSequences('gatedDeltaRule', indices),
};
