// An item is one number of y.
import { actWgsl } from '../../webgpu/acts.ts';
import { sigmoidWgsl } from '../../webgpu/exponentials.ts';
import type { Shader, WgslKernel } from '../../webgpu/kernel.ts';
import { single } from '../../webgpu/team.ts';
import type { OpParams } from '../index.ts';

/** The smaller of both, NaN if x is. */
const belowWgsl = `
fn below(x: f32, limit: f32) -> f32 { return select(min(x, limit), x, is_nan(x)); }`;

const shaderOf = ({ act, limit, alpha, offset }: OpParams['gatedAct']): Shader => {
  const limited = limit !== undefined;
  const fields = [limited && 'limit', alpha !== undefined && 'alpha', offset !== undefined && 'offset'].filter(
    (field) => field !== false,
  );
  const acted = alpha === undefined ? 'act(g)' : 'g * sigmoid(p.alpha * g)';
  return {
    name: `gatedAct ${[act, ...fields].join(' ')}`,
    parts: () => ({
      inputs: ['gate', 'up'],
      fields,
      team: single,
      declarations: (alpha === undefined ? actWgsl[act] : sigmoidWgsl) + belowWgsl,
      body: `
  let g = ${limited ? 'below(get_gate(item), p.limit)' : 'get_gate(item)'};
  let u = ${limited ? '-below(-below(get_up(item), p.limit), p.limit)' : 'get_up(item)'};
  put_y(item, ${acted} * ${offset === undefined ? 'u' : '(u + p.offset)'});`,
    }),
  };
};

export const gatedActWgsl: WgslKernel<'gatedAct'> = ({ dims, params, ranges }) =>
  ranges(dims.elements!, ['gate', 'up', 'y']).map((rows) => ({
    shader: shaderOf(params),
    rows: { gate: rows, up: rows, y: rows },
    items: rows.count,
  }));
