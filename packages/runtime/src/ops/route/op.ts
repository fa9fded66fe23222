import { QuernError } from '@quern/errors';
import type { Op } from '../op.ts';
import { scoreNames } from '../router-scores.ts';
import { routeCpu } from './cpu.ts';
import { routeWgsl } from './kernel.wgsl.ts';
import { routeReference } from './reference.ts';

/** What the kernels have room for: scores of a token in a thread's scratch, groups as bits of a word. */
const MOST_SCORES = 4096;
const MOST_GROUPS = 32;

export const route: Op<'route'> = {
  name: 'route',
  formula:
    'ids[t] = the `used` experts with the largest score(logits) + bias, largest first; of equals the lower; NaN before all. ' +
    'With `groups` only of the `groupsUsed` of these equal parts whose experts have the largest sum of two, or the largest one',
  inputs: [
    { name: 'logits', dtype: 'F32', shape: ['T', 'E'] },
    { name: 'bias', dtype: 'F32', shape: ['E'], optional: true },
  ],
  output: { name: 'ids', dtype: 'I32', shape: ['T', 'used'], below: 'E' },
  params: {
    used: { kind: 'integer', min: 1 },
    score: { kind: 'choice', of: ['logits', ...scoreNames], default: 'logits' },
    groups: { kind: 'integer', min: 1, max: MOST_GROUPS, optional: true },
    groupsUsed: { kind: 'integer', min: 1, optional: true },
    groupBy: { kind: 'choice', of: ['two', 'one'], default: 'two' },
  },
  tolerance: 0,
  reference: routeReference,
  cpu: routeCpu,
  wgsl: routeWgsl,
  checkDims({ E, used, groups = 1, groupsUsed = groups }) {
    if (used! > E!) throw new QuernError('op-bad-param', `route: ${used} of ${E} experts cannot be used`);
    if (E! % groups || groupsUsed > groups || (E! / groups) * groupsUsed < used!)
      throw new QuernError(
        'op-bad-param',
        `route: ${groupsUsed} of ${groups} groups of ${E} experts do not give ${used} experts`,
      );
    if (E! > MOST_SCORES) throw new QuernError('op-bad-shape', `route: ${E} experts, more than ${MOST_SCORES}`);
  },
};
