// An item is a token.
import { exponentialsWgsl } from '../../webgpu/exponentials.ts';
import type { Shader, WgslKernel } from '../../webgpu/kernel.ts';
import { single } from '../../webgpu/team.ts';

const shaderOf = (over: 'all' | 'chosen'): Shader => {
  const [count, at] = over === 'all' ? ['p.E', 'row + n'] : ['p.used', 'row + get_ids(item * p.used + n)'];
  return {
    name: `routeWeights ${over}`,
    parts: () => ({
      inputs: ['logits', 'ids'],
      fields: ['E', 'used'],
      team: single,
      declarations: exponentialsWgsl,
      body: `
  let row = item * p.E;
  var largest = get_logits(row + get_ids(item * p.used));
  for (var n = 0u; n < ${count}; n++) { largest = max(largest, get_logits(${at})); }
  var sum = 0.0;
  for (var n = 0u; n < ${count}; n++) { sum += exp_of(get_logits(${at}) - largest); }
  for (var n = 0u; n < p.used; n++) {
    let slot = item * p.used + n;
    put_y(slot, exp_of(get_logits(row + get_ids(slot)) - largest) / sum);
  }`,
    }),
  };
};

export const routeWeightsWgsl: WgslKernel<'routeWeights'> = ({ dims, params, ranges }) =>
  ranges(dims.T!, ['logits', 'ids', 'y']).map((rows) => ({
    shader: shaderOf(params.over),
    rows: { logits: rows, ids: rows, y: rows },
    items: rows.count,
  }));
