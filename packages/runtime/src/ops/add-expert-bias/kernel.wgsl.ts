// An item is one number of y.
import type { Shader, WgslKernel } from '../../webgpu/kernel.ts';
import { single } from '../../webgpu/team.ts';

const shader: Shader = {
  name: 'addExpertBias',
  parts: () => ({
    inputs: ['x', 'bias', 'ids'],
    fields: ['R'],
    team: single,
    body: 'put_y(item, get_x(item) + get_bias(get_ids(item / p.R) * p.R + item % p.R));',
  }),
};

export const addExpertBiasWgsl: WgslKernel<'addExpertBias'> = ({ dims, ranges }) =>
  ranges(dims.N!, ['x', 'ids', 'y']).map((rows) => ({
    shader,
    rows: { x: rows, ids: rows, y: rows },
    items: rows.count * dims.R!,
  }));
