// An item is one number of y.
import type { Shader, WgslKernel } from '../../webgpu/kernel.ts';
import { single } from '../../webgpu/team.ts';

const shader: Shader = {
  name: 'meanRows',
  parts: () => ({
    inputs: ['x', 'seq'],
    fields: ['T', 'C'],
    team: single,
    body: `
  var sum = 0.0;
  var count = 0u;
  for (var t = 0u; t < p.T; t++) {
    if (get_seq(t) == item / p.C) { sum += get_x(t * p.C + item % p.C); count++; }
  }
  put_y(item, sum / f32(max(count, 1u)));`,
  }),
};

export const meanRowsWgsl: WgslKernel<'meanRows'> = ({ dims }) => [{ shader, items: dims.S! * dims.C! }];
