// An item is one number of y. Rows that lie in another buffer of x are the work of another dispatch.
import type { Shader, WgslKernel } from '../../webgpu/kernel.ts';
import { single } from '../../webgpu/team.ts';

const shader: Shader = {
  name: 'gatherRows',
  parts: () => ({
    inputs: ['x', 'rows'],
    fields: ['C', 'first', 'count'],
    team: single,
    body: `
  let row = get_rows(item / p.C) - p.first;
  if (row < p.count) { put_y(item, get_x(row * p.C + item % p.C)); }`,
  }),
};

export const gatherRowsWgsl: WgslKernel<'gatherRows'> = ({ dims, ranges }) =>
  ranges(dims.N!, ['rows', 'y']).flatMap((some) =>
    ranges(dims.T!, ['x']).map((x) => ({
      shader,
      rows: { x, rows: some, y: some },
      fields: { first: x.first, count: x.count },
      items: some.count * dims.C!,
    })),
  );
