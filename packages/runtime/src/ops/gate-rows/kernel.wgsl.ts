// An item is one number of y.

import { sigmoidWgsl } from '../../webgpu/exponentials.ts';
import type { Shader, WgslKernel } from '../../webgpu/kernel.ts';
import { single } from '../../webgpu/team.ts';

const shader: Shader = {
  name: 'gateRows',
  parts: () => ({
    inputs: ['x', 'gate'],
    fields: ['C'],
    team: single,
    declarations: sigmoidWgsl,
    body: 'put_y(item, get_x(item) * sigmoid(get_gate(item / p.C)));',
  }),
};

export const gateRowsWgsl: WgslKernel<'gateRows'> = ({ dims, ranges }) =>
  ranges(dims.N!, ['x', 'gate', 'y']).map((rows) => ({
    shader,
    rows: { x: rows, gate: rows, y: rows },
    items: rows.count * dims.C!,
  }));
