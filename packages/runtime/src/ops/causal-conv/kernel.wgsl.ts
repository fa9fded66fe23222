// An item is a channel of a sequence. Rows of x that lie in another buffer are the work of a later dispatch, which goes on
// from the state.
import { actWgsl } from '../../webgpu/acts.ts';
import type { Shader, WgslKernel } from '../../webgpu/kernel.ts';
import { single } from '../../webgpu/team.ts';

const shaderOf = (taps: number, silu: boolean, bias: boolean): Shader => ({
  name: `causalConv ${taps}${silu ? ' silu' : ''}${bias ? ' bias' : ''}`,
  parts: () => ({
    inputs: ['x', 'weight', 'state', 'seq', 'slots', ...(bias ? ['bias'] : [])],
    fields: ['T', 'C'],
    team: single,
    declarations: silu ? actWgsl.silu : 'fn act(x: f32) -> f32 { return x; }',
    body: `
  let sequence = item / p.C;
  let c = item % p.C;
  let own = get_slots(sequence) * ${taps - 1}u * p.C + c;
  var rows: array<f32, ${taps}>;
  for (var k = 0u; k < ${taps - 1}u; k++) { rows[k] = get_state(own + k * p.C); }
  for (var t = 0u; t < p.T; t++) {
    if (get_seq(t) != sequence) { continue; }
    rows[${taps - 1}] = get_x(t * p.C + c);
    var sum = ${bias ? 'get_bias(c)' : '0.0'};
    for (var k = 0u; k < ${taps}u; k++) { sum += get_weight(c * ${taps}u + k) * rows[k]; }
    for (var k = 0u; k < ${taps - 1}u; k++) { rows[k] = rows[k + 1u]; }
    put_y(t * p.C + c, act(sum));
  }
  for (var k = 0u; k < ${taps - 1}u; k++) { put_state(own + k * p.C, rows[k]); }`,
  }),
});

export const causalConvWgsl: WgslKernel<'causalConv'> = ({ dims, params, has, ranges }) => {
  const { T, S, C, K } = dims as Record<'T' | 'S' | 'C' | 'K', number>;
  return ranges(T, ['x', 'seq', 'y']).map((rows) => ({
    shader: shaderOf(K, params.act === 'silu', has('bias')),
    rows: { x: rows, seq: rows, y: rows },
    fields: { T: rows.count },
    items: S * C,
  }));
};
