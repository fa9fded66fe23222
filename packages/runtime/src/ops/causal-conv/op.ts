import { QuernError } from '@quern/errors';
import type { Op } from '../op.ts';
import { checkSlotsOfSequences, sequenceOperands } from '../sequences.ts';
import { causalConvCpu } from './cpu.ts';
import { causalConvWgsl } from './kernel.wgsl.ts';
import { causalConvReference } from './reference.ts';

/** What kernels keep at hand. */
const MOST_TAPS = 16;

export const causalConv: Op<'causalConv'> = {
  name: 'causalConv',
  formula:
    'y[t][c] = act(Σₖ weight[c][k] · x[t − K + 1 + k][c] + bias[c]), t counted within its sequence; the state is the last ' +
    'K − 1 rows of x, the oldest first',
  inputs: [
    { name: 'x', dtype: 'F32', shape: ['T', 'C'] },
    { name: 'weight', dtype: 'F32', shape: ['C', 'K'] },
    { name: 'state', dtype: 'F32', shape: ['slots', 'kept', 'C'], updated: true },
    ...sequenceOperands,
    { name: 'bias', dtype: 'F32', shape: ['C'], optional: true },
  ],
  output: { name: 'y', dtype: 'F32', shape: ['T', 'C'] },
  params: { act: { kind: 'choice', of: ['none', 'silu'], default: 'none' } },
  tolerance: 1e-12,
  reference: causalConvReference,
  cpu: causalConvCpu,
  wgsl: causalConvWgsl,
  checkDims({ K, kept }) {
    if (kept !== K! - 1 || K! > MOST_TAPS)
      throw new QuernError(
        'op-bad-shape',
        `causalConv: a state of ${kept} rows does not fit ${K} taps (${MOST_TAPS} at most)`,
      );
  },
  checkIndices: (indices) => checkSlotsOfSequences('causalConv', indices),
};
