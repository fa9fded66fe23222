// An item is one number of y.
import type { Shader, WgslKernel } from '../../webgpu/kernel.ts';
import { single } from '../../webgpu/team.ts';

const shader: Shader = {
  name: 'columns',
  parts: () => ({
    inputs: ['x'],
    fields: ['C', 'W', 'first'],
    team: single,
    body: 'put_y(item, get_x(item / p.W * p.C + p.first + item % p.W));',
  }),
};

export const columnsWgsl: WgslKernel<'columns'> = ({ dims, ranges }) =>
  ranges(dims.N!, ['x', 'y']).map((rows) => ({ shader, rows: { x: rows, y: rows }, items: rows.count * dims.W! }));
