// An item is one number that is written. Rows of y that lie in another buffer are the work of another dispatch.
import type { Shader, WgslKernel } from '../../webgpu/kernel.ts';
import { single } from '../../webgpu/team.ts';

const shader: Shader = {
  name: 'putColumns',
  parts: () => ({
    inputs: ['x'],
    fields: ['C', 'W', 'first', 'repeat', 'first_row'],
    team: single,
    body: 'put_y(item / p.W * p.C + p.first + item % p.W, get_x((p.first_row + item / p.W) / p.repeat * p.W + item % p.W));',
  }),
};

export const putColumnsWgsl: WgslKernel<'putColumns'> = ({ dims, ranges }) => {
  const { M, N, W } = dims as Record<'M' | 'N' | 'W', number>;
  return ranges(N, ['y']).map((rows) => ({
    shader,
    rows: { y: rows },
    fields: { repeat: N / M, first_row: rows.first },
    items: rows.count * W,
  }));
};
