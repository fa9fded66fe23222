// An item is one number of y. e^x − 1 − x is near 0 taken from its series, where the difference would cancel.
import { exponentialsWgsl } from '../../webgpu/exponentials.ts';
import type { Shader, WgslKernel } from '../../webgpu/kernel.ts';
import { single } from '../../webgpu/team.ts';

const shader: Shader = {
  name: 'xielu',
  parts: () => ({
    inputs: ['x'],
    fields: ['alphaP', 'alphaN', 'beta', 'eps'],
    team: single,
    declarations: `${exponentialsWgsl}
fn beyond_linear(x: f32) -> f32 {
  if (abs(x) >= 0.7) { return exp_of(x) - 1.0 - x; }
  let series = ((((((x / 362880.0 + 1.0 / 40320.0) * x + 1.0 / 5040.0) * x + 1.0 / 720.0) * x + 1.0 / 120.0) * x + 1.0 / 24.0) * x + 1.0 / 6.0) * x + 0.5;
  return series * x * x;
}`,
    body: `
  let x = get_x(item);
  let bounded = min(x, p.eps);
  let curved = select(p.alphaN * (beyond_linear(bounded) + (bounded - x)), p.alphaP * x * x, x > 0.0);
  put_y(item, select(curved + p.beta * x, x, is_nan(x)));`,
  }),
};

export const xieluWgsl: WgslKernel<'xielu'> = ({ dims, ranges }) =>
  ranges(dims.elements!, ['x', 'y']).map((rows) => ({ shader, rows: { x: rows, y: rows }, items: rows.count }));
