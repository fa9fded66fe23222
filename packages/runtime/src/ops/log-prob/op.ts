import type { Op } from '../op.ts';
import { logProbCpu } from './cpu.ts';
import { logProbWgsl } from './kernel.wgsl.ts';
import { logProbReference } from './reference.ts';

export const logProb: Op<'logProb'> = {
  name: 'logProb',
  formula: 'y[n] = logits[n][target] − max − ln Σ e^(logits[n] − max), the sum in f64 (as llama-perplexity does)',
  inputs: [
    { name: 'logits', dtype: 'F32', shape: ['N', 'V'] },
    { name: 'targets', dtype: 'I32', shape: ['N'], below: 'V' },
  ],
  output: { name: 'y', dtype: 'F32', shape: ['N'] },
  params: {},
  tolerance: 1e-13,
  reference: logProbReference,
  cpu: logProbCpu,
  wgsl: logProbWgsl,
};
