import type { Op } from '../op.ts';
import { logSumExpCpu } from './cpu.ts';
import { logSumExpWgsl } from './kernel.wgsl.ts';
import { logSumExpReference } from './reference.ts';

export const logSumExp: Op<'logSumExp'> = {
  name: 'logSumExp',
  formula: 'y[n] = max + ln Σ e^(x[n] − max), the sum in f64: what log probabilities are counted from',
  inputs: [{ name: 'x', dtype: 'F32', shape: ['N', 'C'] }],
  output: { name: 'y', dtype: 'F32', shape: ['N'] },
  params: {},
  tolerance: 1e-13,
  reference: logSumExpReference,
  cpu: logSumExpCpu,
  wgsl: logSumExpWgsl,
};
