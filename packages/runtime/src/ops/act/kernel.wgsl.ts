// An item is one number of y.
import { actWgsl } from '../../webgpu/acts.ts';
import type { Shader, WgslKernel } from '../../webgpu/kernel.ts';
import { single } from '../../webgpu/team.ts';
import type { Act } from '../acts.ts';

const shaderOf = (act: Act): Shader => ({
  name: `act ${act}`,
  parts: () => ({
    inputs: ['x'],
    fields: [],
    team: single,
    declarations: actWgsl[act],
    body: 'put_y(item, act(get_x(item)));',
  }),
});

export const actOpWgsl: WgslKernel<'act'> = ({ dims, params, ranges }) =>
  ranges(dims.elements!, ['x', 'y']).map((rows) => ({
    shader: shaderOf(params.act),
    rows: { x: rows, y: rows },
    items: rows.count,
  }));
