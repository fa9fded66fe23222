// An item is a row. Sums are taken 64 by 64, so that one lane's sum of thousands loses no digits.
import type { Shader, WgslKernel } from '../../webgpu/kernel.ts';
import { reductions, type Team, teamForRow } from '../../webgpu/team.ts';

/** Declares `name`, the sum over the row of an expression of `c`. */
const summed = (name: string, value: string): string => `
  var ${name}_of_lane = 0.0;
  for (var start = lane; start < p.C; start += 64u * LANES) {
    var part = 0.0;
    for (var c = start; c < min(p.C, start + 64u * LANES); c += LANES) { ${value} }
    ${name}_of_lane += part;
  }
  let ${name} = team_sum(${name}_of_lane, lane);`;

const shaderOf = (team: Team, weight: boolean, bias: boolean): Shader => ({
  name: `layerNorm ${team.lanes}${weight ? ' weight' : ''}${bias ? ' bias' : ''}`,
  parts: () => ({
    inputs: ['x', ...(weight ? ['weight'] : []), ...(bias ? ['bias'] : [])],
    fields: ['C', 'eps'],
    team,
    declarations: reductions(team, ['team_sum']),
    body: `
  let at = item * p.C;${summed('sum', 'part += get_x(at + c);')}
  let mean = sum / f32(p.C);${summed('squares', 'let v = get_x(at + c) - mean; part += v * v;')}
  let factor = 1.0 / sqrt(squares / f32(p.C) + p.eps);
  for (var c = lane; c < p.C; c += LANES) {
    put_y(at + c, (get_x(at + c) - mean) * factor${weight ? ' * get_weight(c)' : ''}${bias ? ' + get_bias(c)' : ''});
  }`,
  }),
});

export const layerNormWgsl: WgslKernel<'layerNorm'> = ({ dims, capabilities, has, ranges }) =>
  ranges(dims.N!, ['x', 'y']).map((rows) => ({
    shader: shaderOf(teamForRow(dims.C!, capabilities), has('weight'), has('bias')),
    rows: { x: rows, y: rows },
    items: rows.count,
  }));
