import type { Op } from '../op.ts';
import { routeWeightsCpu } from './cpu.ts';
import { routeWeightsWgsl } from './kernel.wgsl.ts';
import { routeWeightsReference } from './reference.ts';

export const routeWeights: Op<'routeWeights'> = {
  name: 'routeWeights',
  formula: "y[t][n] = softmax(logits[t])[ids[t][n]]; the softmax is over 'all' experts or the 'chosen' ones alone",
  inputs: [
    { name: 'logits', dtype: 'F32', shape: ['T', 'E'] },
    { name: 'ids', dtype: 'I32', shape: ['T', 'used'], below: 'E' },
  ],
  output: { name: 'y', dtype: 'F32', shape: ['T', 'used'] },
  params: { over: { kind: 'choice', of: ['all', 'chosen'] } },
  tolerance: 1e-12,
  reference: routeWeightsReference,
  cpu: routeWeightsCpu,
  wgsl: routeWeightsWgsl,
};
