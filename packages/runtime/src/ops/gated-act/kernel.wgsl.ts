// silu(g) = g · sigmoid(g); gelu in its tanh form is g · sigmoid(2u), since (1 + tanh u) / 2 = sigmoid(2u).

import { sigmoidWgsl } from '../../webgpu/exponentials.ts';
import type { Shader, WgslKernel } from '../../webgpu/kernel.ts';
import { single } from '../../webgpu/team.ts';

const acts = {
  silu: 'fn act(g: f32) -> f32 { return g * sigmoid(g); }',
  // Beyond ±20 the sigmoid is 0 or 1 to the last bit, and g³ must not overflow.
  gelu: `fn act(g: f32) -> f32 {
  let c = clamp(g, -20.0, 20.0);
  return g * sigmoid(${2 * Math.sqrt(2 / Math.PI)} * (c + 0.044715 * c * c * c));
}`,
};

const shaderOf = (act: keyof typeof acts): Shader => ({
  name: `gatedAct ${act}`,
  parts: () => ({
    inputs: ['gate', 'up'],
    fields: [],
    team: single,
    declarations: sigmoidWgsl + acts[act],
    body: 'put_y(item, act(get_gate(item)) * get_up(item));',
  }),
});

export const gatedActWgsl: WgslKernel<'gatedAct'> = ({ dims, params, ranges }) =>
  ranges(dims.elements!, ['gate', 'up', 'y']).map((rows) => ({
    shader: shaderOf(params.act),
    rows: { gate: rows, up: rows, y: rows },
    items: rows.count,
  }));
