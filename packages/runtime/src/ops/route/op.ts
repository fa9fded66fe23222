import { QuernError } from '@quern/errors';
import type { Op } from '../op.ts';
import { routeCpu } from './cpu.ts';
import { routeWgsl } from './kernel.wgsl.ts';
import { routeReference } from './reference.ts';

export const route: Op<'route'> = {
  name: 'route',
  formula: 'ids[t] = the `used` experts with the largest logits, largest first; of equals the lower; NaN before all',
  inputs: [{ name: 'logits', dtype: 'F32', shape: ['T', 'E'] }],
  output: { name: 'ids', dtype: 'I32', shape: ['T', 'used'], below: 'E' },
  params: { used: { kind: 'integer', min: 1 } },
  tolerance: 0,
  reference: routeReference,
  cpu: routeCpu,
  wgsl: routeWgsl,
  checkDims({ E, used }) {
    if (used! > E!) throw new QuernError('op-bad-param', `route: ${used} of ${E} experts cannot be used`);
  },
};
