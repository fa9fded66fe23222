// An item is one number of y.
import { exponentialsWgsl, tanhWgsl } from '../../webgpu/exponentials.ts';
import type { Shader, WgslKernel } from '../../webgpu/kernel.ts';
import { single } from '../../webgpu/team.ts';

const shader: Shader = {
  name: 'softCap',
  parts: () => ({
    inputs: ['x'],
    fields: ['cap'],
    team: single,
    declarations: exponentialsWgsl + tanhWgsl,
    body: 'put_y(item, p.cap * tanh_of(get_x(item) / p.cap));',
  }),
};

export const softCapWgsl: WgslKernel<'softCap'> = ({ dims, ranges }) =>
  ranges(dims.elements!, ['x', 'y']).map((rows) => ({ shader, rows: { x: rows, y: rows }, items: rows.count }));
