// An item is one number of y.
import type { Shader, WgslKernel } from '../../webgpu/kernel.ts';
import { single } from '../../webgpu/team.ts';

const shader: Shader = {
  name: 'combineExperts',
  parts: () => ({
    inputs: ['weights', 'x'],
    fields: ['C', 'used'],
    team: single,
    body: `
  let t = item / p.C;
  var sum = 0.0;
  for (var slot = t * p.used; slot < (t + 1u) * p.used; slot++) {
    sum += get_weights(slot) * get_x(slot * p.C + item % p.C);
  }
  put_y(item, sum);`,
  }),
};

export const combineExpertsWgsl: WgslKernel<'combineExperts'> = ({ dims, ranges }) =>
  ranges(dims.T!, ['weights', 'x', 'y']).map((rows) => ({
    shader,
    rows: { weights: rows, x: rows, y: rows },
    items: rows.count * dims.C!,
  }));
