import type { Op } from '../op.ts';
import { scoreNames } from '../router-scores.ts';
import { routeWeightsCpu } from './cpu.ts';
import { routeWeightsWgsl } from './kernel.wgsl.ts';
import { routeWeightsReference } from './reference.ts';

export const routeWeights: Op<'routeWeights'> = {
  name: 'routeWeights',
  formula:
    'y[t][n] = scale · expertScale[id] · score(logits[t])[id], id = ids[t][n]; a softmax is over all experts or the chosen ' +
    'ones alone, other scores are left as they are or divided by the sum (+ 1e-20) of the chosen',
  inputs: [
    { name: 'logits', dtype: 'F32', shape: ['T', 'E'] },
    { name: 'ids', dtype: 'I32', shape: ['T', 'used'], below: 'E' },
    { name: 'expertScale', dtype: 'F32', shape: ['E'], optional: true },
  ],
  output: { name: 'y', dtype: 'F32', shape: ['T', 'used'] },
  params: {
    over: { kind: 'choice', of: ['all', 'chosen'] },
    score: { kind: 'choice', of: scoreNames, default: 'softmax' },
    scale: { kind: 'number', optional: true },
  },
  tolerance: 1e-12,
  reference: routeWeightsReference,
  cpu: routeWeightsCpu,
  wgsl: routeWeightsWgsl,
};
