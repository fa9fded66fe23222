// An item is one pair of one head, or one number beyond rotaryDim, which is copied. In place: an item touches only its own.
import type { Shader, WgslKernel } from '../../webgpu/kernel.ts';
import { single } from '../../webgpu/team.ts';

const shaderOf = (style: 'norm' | 'neox'): Shader => ({
  name: `rope ${style}`,
  parts: () => ({
    inputs: ['x', 'cos', 'sin'],
    fields: ['heads', 'headDim', 'rotaryDim'],
    team: single,
    body: `
  let pairs = p.rotaryDim / 2u;
  let per_head = p.headDim - pairs;
  let head = item / per_head;
  let i = item % per_head;
  let at = head * p.headDim;
  if (i >= pairs) {
    put_y(at + pairs + i, get_x(at + pairs + i));
    return;
  }
  let angle = head / p.heads * pairs + i;
  let c = get_cos(angle);
  let s = get_sin(angle);
  let first = at + ${style === 'norm' ? '2u * i' : 'i'};
  let second = first + ${style === 'norm' ? '1u' : 'pairs'};
  let a = get_x(first);
  let b = get_x(second);
  put_y(first, a * c - b * s);
  put_y(second, a * s + b * c);`,
  }),
});

export const ropeWgsl: WgslKernel<'rope'> = ({ dims, params, ranges }) =>
  ranges(dims.T!, ['x', 'cos', 'sin', 'y']).map((rows) => ({
    shader: shaderOf(params.style),
    rows: { x: rows, cos: rows, sin: rows, y: rows },
    items: rows.count * params.heads * (params.headDim - params.rotaryDim / 2),
  }));
