// An item is a group of a row. Its squares are summed 64 by 64, so that one lane's sum of thousands loses no digits.
import type { Shader, WgslKernel } from '../../webgpu/kernel.ts';
import { reductions, type Team, teamForRow } from '../../webgpu/team.ts';

const shaderOf = (team: Team, weighted: boolean): Shader => ({
  name: `rmsNorm ${team.lanes}${weighted ? ' weighted' : ''}`,
  parts: () => ({
    inputs: weighted ? ['x', 'weight'] : ['x'],
    fields: weighted ? ['size', 'groups', 'eps'] : ['size', 'eps'],
    team,
    declarations: reductions(team, ['team_sum']),
    body: `
  let at = item * p.size;
  var sum = 0.0;
  for (var start = lane; start < p.size; start += 64u * LANES) {
    var part = 0.0;
    for (var c = start; c < min(p.size, start + 64u * LANES); c += LANES) { let v = get_x(at + c); part += v * v; }
    sum += part;
  }
  let factor = 1.0 / sqrt(team_sum(sum, lane) / f32(p.size) + p.eps);
  ${weighted ? 'let first = item % p.groups * p.size;' : ''}
  for (var c = lane; c < p.size; c += LANES) {
    put_y(at + c, get_x(at + c) * factor${weighted ? ' * get_weight(first + c)' : ''});
  }`,
  }),
});

export const rmsNormWgsl: WgslKernel<'rmsNorm'> = ({ dims, params, capabilities, has, ranges }) => {
  const { groups = 1 } = params;
  const size = dims.C! / groups;
  return ranges(dims.N!, ['x', 'y']).map((rows) => ({
    shader: shaderOf(teamForRow(size, capabilities), has('weight')),
    rows: { x: rows, y: rows },
    fields: { size, groups },
    items: rows.count * groups,
  }));
};
