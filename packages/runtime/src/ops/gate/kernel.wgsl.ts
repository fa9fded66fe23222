// An item is one number of y.
import { actWgsl } from '../../webgpu/acts.ts';
import type { Shader, WgslKernel } from '../../webgpu/kernel.ts';
import { single } from '../../webgpu/team.ts';
import type { Act } from '../acts.ts';

const shaderOf = (act: Act): Shader => ({
  name: `gate ${act}`,
  parts: () => ({
    inputs: ['x', 'gate'],
    fields: ['size'],
    team: single,
    declarations: actWgsl[act],
    body: 'put_y(item, get_x(item) * act(get_gate(item / p.size)));',
  }),
});

export const gateWgsl: WgslKernel<'gate'> = ({ dims, params, ranges }) =>
  ranges(dims.N!, ['x', 'gate', 'y']).map((rows) => ({
    shader: shaderOf(params.act),
    rows: { x: rows, gate: rows, y: rows },
    fields: { size: dims.C! / dims.G! },
    items: rows.count * dims.C!,
  }));
