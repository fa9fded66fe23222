import type { Shader, WgslKernel } from '../../webgpu/kernel.ts';
import { single } from '../../webgpu/team.ts';

const shader: Shader = {
  name: 'scale',
  parts: () => ({ inputs: ['x'], fields: ['factor'], team: single, body: 'put_y(item, get_x(item) * p.factor);' }),
};

export const scaleWgsl: WgslKernel<'scale'> = ({ dims, ranges }) =>
  ranges(dims.elements!, ['x', 'y']).map((rows) => ({ shader, rows: { x: rows, y: rows }, items: rows.count }));
