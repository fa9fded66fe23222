// An item is a column. Its sum is rounded step by step as the op says, unless a driver fuses the multiply-add.
import type { Shader, WgslKernel } from '../../webgpu/kernel.ts';
import { single } from '../../webgpu/team.ts';

const shader: Shader = {
  name: 'sumSquares',
  parts: () => ({
    inputs: ['x'],
    fields: ['T', 'C'],
    team: single,
    body: `
  var sum = get_sums(item);
  for (var t = 0u; t < p.T; t++) { let v = get_x(t * p.C + item); sum += v * v; }
  put_sums(item, sum);`,
  }),
};

export const sumSquaresWgsl: WgslKernel<'sumSquares'> = ({ dims, ranges }) =>
  ranges(dims.T!, ['x']).map((x) => ({ shader, rows: { x }, fields: { T: x.count }, items: dims.C! }));
