// An item is a column of a head's state of a sequence. Tokens that lie in another buffer are the work of a later dispatch,
// which goes on from the state.
import { exponentialsWgsl } from '../../webgpu/exponentials.ts';
import type { Shader, WgslKernel } from '../../webgpu/kernel.ts';
import { single } from '../../webgpu/team.ts';

const shaderOf = (perChannel: boolean): Shader => {
  const factor = perChannel ? 'exp_of(get_decay(decay_at + i))' : 'factor';
  return {
    name: `gatedDeltaRule${perChannel ? ' by channel' : ''}`,
    parts: () => ({
      inputs: ['qkv', 'decay', 'beta', 'state', 'seq', 'slots'],
      fields: ['T', 'row', 'heads', 'kHeads', 'neighbours', 'kDim', 'vDim', 'scale', 'normEps'],
      team: single,
      declarations: `${exponentialsWgsl}
fn norm_factor(at: u32) -> f32 {
  var sum = p.normEps;
  for (var i = 0u; i < p.kDim; i++) { let x = get_qkv(at + i); sum += x * x; }
  return 1.0 / sqrt(sum);
}`,
      body: `
  let j = item % p.vDim;
  let head = item / p.vDim % p.heads;
  let sequence = item / p.vDim / p.heads;
  let own = (get_slots(sequence) * p.heads + head) * p.kDim * p.vDim + j;
  for (var t = 0u; t < p.T; t++) {
    if (get_seq(t) != sequence) { continue; }
    let q = t * p.row + head / p.neighbours % p.kHeads * p.kDim;
    let k = q + p.kHeads * p.kDim;
    let q_factor = norm_factor(q) * p.scale;
    let k_factor = norm_factor(k);
    ${perChannel ? 'let decay_at = (t * p.heads + head) * p.kDim;' : 'let factor = exp_of(get_decay(t * p.heads + head));'}
    var known = 0.0;
    for (var i = 0u; i < p.kDim; i++) { known += ${factor} * get_state(own + i * p.vDim) * get_qkv(k + i); }
    let value = get_qkv(t * p.row + 2u * p.kHeads * p.kDim + head * p.vDim + j);
    let delta = (value - known * k_factor) * get_beta(t * p.heads + head);
    var sum = 0.0;
    for (var i = 0u; i < p.kDim; i++) {
      let now = ${factor} * get_state(own + i * p.vDim) + get_qkv(k + i) * k_factor * delta;
      put_state(own + i * p.vDim, now);
      sum += now * get_qkv(q + i);
    }
    put_y((t * p.heads + head) * p.vDim + j, sum * q_factor);
  }`,
    }),
  };
};

export const gatedDeltaRuleWgsl: WgslKernel<'gatedDeltaRule'> = ({ dims, params, ranges }) => {
  const { T, S, heads, vDim, decays } = dims as Record<'T' | 'S' | 'heads' | 'vDim' | 'decays', number>;
  return ranges(T, ['qkv', 'decay', 'beta', 'seq', 'y']).map((rows) => ({
    shader: shaderOf(decays > heads),
    rows: { qkv: rows, decay: rows, beta: rows, seq: rows, y: rows },
    fields: { T: rows.count, neighbours: params.neighbours ?? 1 },
    items: S * heads * vDim,
  }));
};
