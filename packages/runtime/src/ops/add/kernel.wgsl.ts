import type { Shader, WgslKernel } from '../../webgpu/kernel.ts';
import { single } from '../../webgpu/team.ts';

const shader: Shader = {
  name: 'add',
  parts: () => ({ inputs: ['a', 'b'], fields: [], team: single, body: 'put_y(item, get_a(item) + get_b(item));' }),
};

export const addWgsl: WgslKernel<'add'> = ({ dims, ranges }) =>
  ranges(dims.elements!, ['a', 'b', 'y']).map((rows) => ({
    shader,
    rows: { a: rows, b: rows, y: rows },
    items: rows.count,
  }));
