// An item is a token.
import { exponentialsWgsl } from '../../webgpu/exponentials.ts';
import type { Shader, WgslKernel } from '../../webgpu/kernel.ts';
import { scoreWgsl } from '../../webgpu/router-scores.ts';
import { single } from '../../webgpu/team.ts';
import type { OpParams } from '../index.ts';

const shaderOf = ({ over, score = 'softmax', scale }: OpParams['routeWeights'], scaled: boolean): Shader => {
  const factors = [scale !== undefined && 'p.scale', scaled && 'get_expertScale(get_ids(slot))'].filter(Boolean);
  const times = factors.map((factor) => ` * ${factor}`).join('');
  return {
    name: ['routeWeights', over, score, scale !== undefined && 'scaled', scaled && 'by expert']
      .filter(Boolean)
      .join(' '),
    parts: () => ({
      inputs: ['logits', 'ids', ...(scaled ? ['expertScale'] : [])],
      fields: ['E', 'used', ...(scale === undefined ? [] : ['scale'])],
      team: single,
      declarations: score === 'softmax' ? exponentialsWgsl : scoreWgsl(score),
      body: score === 'softmax' ? softmaxBody(over, times) : scoresBody(over, times),
    }),
  };
};

function softmaxBody(over: 'all' | 'chosen', times: string): string {
  const [count, at] = over === 'all' ? ['p.E', 'row + n'] : ['p.used', 'row + get_ids(item * p.used + n)'];
  return `
  let row = item * p.E;
  var largest = get_logits(row + get_ids(item * p.used));
  for (var n = 0u; n < ${count}; n++) { largest = max(largest, get_logits(${at})); }
  var sum = 0.0;
  for (var n = 0u; n < ${count}; n++) { sum += exp_of(get_logits(${at}) - largest); }
  for (var n = 0u; n < p.used; n++) {
    let slot = item * p.used + n;
    put_y(slot, exp_of(get_logits(row + get_ids(slot)) - largest) / sum${times});
  }`;
}

const scoresBody = (over: 'all' | 'chosen', times: string): string => `
  let row = item * p.E;
  ${over === 'all' ? 'let sum = 1.0;' : 'var sum = 1e-20;'}
  ${over === 'all' ? '' : 'for (var n = 0u; n < p.used; n++) { sum += score_of(get_logits(row + get_ids(item * p.used + n))); }'}
  for (var n = 0u; n < p.used; n++) {
    let slot = item * p.used + n;
    put_y(slot, score_of(get_logits(row + get_ids(slot))) / sum${times});
  }`;

export const routeWeightsWgsl: WgslKernel<'routeWeights'> = ({ dims, params, has, ranges }) =>
  ranges(dims.T!, ['logits', 'ids', 'y']).map((rows) => ({
    shader: shaderOf(params, has('expertScale')),
    rows: { logits: rows, ids: rows, y: rows },
    items: rows.count,
  }));
