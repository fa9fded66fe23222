// An item is one number of a head of a sequence, with its row of the state. Tokens that lie in another buffer are the work of
// a later dispatch, which goes on from the state.
import { softplusWgsl } from '../../webgpu/acts.ts';
import { exponentialsWgsl } from '../../webgpu/exponentials.ts';
import type { Shader, WgslKernel } from '../../webgpu/kernel.ts';
import { single } from '../../webgpu/team.ts';

const shaderOf = (least: boolean, most: boolean): Shader => {
  const fields = ['T', 'row', 'heads', 'headDim', 'stateDim', 'groups'];
  const atLeast = least ? 'max(softplus(raw), p.dtMin)' : 'softplus(raw)';
  const bounded = most ? `min(${atLeast}, p.dtMax)` : atLeast;
  return {
    name: `mamba2Scan${least ? ' least' : ''}${most ? ' most' : ''}`,
    parts: () => ({
      inputs: ['xbc', 'dt', 'a', 'd', 'state', 'seq', 'slots'],
      fields: [...fields, ...(least ? ['dtMin'] : []), ...(most ? ['dtMax'] : [])],
      team: single,
      declarations: exponentialsWgsl + softplusWgsl,
      body: `
  let i = item % p.headDim;
  let head = item / p.headDim % p.heads;
  let sequence = item / p.headDim / p.heads;
  let own = ((get_slots(sequence) * p.heads + head) * p.headDim + i) * p.stateDim;
  for (var t = 0u; t < p.T; t++) {
    if (get_seq(t) != sequence) { continue; }
    let raw = get_dt(t * p.heads + head);
    let step = select(${bounded}, raw, is_nan(raw));
    let factor = exp_of(step * get_a(head));
    let x = get_xbc(t * p.row + head * p.headDim + i);
    let b = t * p.row + p.heads * p.headDim + head * p.groups / p.heads * p.stateDim;
    let c = b + p.groups * p.stateDim;
    var sum = 0.0;
    for (var n = 0u; n < p.stateDim; n++) {
      let now = factor * get_state(own + n) + step * x * get_xbc(b + n);
      put_state(own + n, now);
      sum += now * get_xbc(c + n);
    }
    put_y((t * p.heads + head) * p.headDim + i, get_d(head) * x + sum);
  }`,
    }),
  };
};

export const mamba2ScanWgsl: WgslKernel<'mamba2Scan'> = ({ dims, params, ranges }) => {
  const { T, S, heads, headDim } = dims as Record<'T' | 'S' | 'heads' | 'headDim', number>;
  return ranges(T, ['xbc', 'dt', 'seq', 'y']).map((rows) => ({
    shader: shaderOf(params.dtMin !== undefined, params.dtMax !== undefined),
    rows: { xbc: rows, dt: rows, seq: rows, y: rows },
    fields: { T: rows.count },
    items: S * heads * headDim,
  }));
};
