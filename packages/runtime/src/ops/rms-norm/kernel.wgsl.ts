// An item is a row. Its squares are summed 64 by 64, so that one lane's sum of thousands loses no digits.
import type { Shader, WgslKernel } from '../../webgpu/kernel.ts';
import { reductions, type Team, teamForRow } from '../../webgpu/team.ts';

const shaderOf = (team: Team): Shader => ({
  name: `rmsNorm ${team.lanes}`,
  parts: () => ({
    inputs: ['x', 'weight'],
    fields: ['C', 'eps'],
    team,
    declarations: reductions(team, ['team_sum']),
    body: `
  let at = item * p.C;
  var sum = 0.0;
  for (var start = lane; start < p.C; start += 64u * LANES) {
    var part = 0.0;
    for (var c = start; c < min(p.C, start + 64u * LANES); c += LANES) { let v = get_x(at + c); part += v * v; }
    sum += part;
  }
  let factor = 1.0 / sqrt(team_sum(sum, lane) / f32(p.C) + p.eps);
  for (var c = lane; c < p.C; c += LANES) { put_y(at + c, get_x(at + c) * factor * get_weight(c)); }`,
  }),
});

export const rmsNormWgsl: WgslKernel<'rmsNorm'> = ({ dims, capabilities, ranges }) =>
  ranges(dims.N!, ['x', 'y']).map((rows) => ({
    shader: shaderOf(teamForRow(dims.C!, capabilities)),
    rows: { x: rows, y: rows },
    items: rows.count,
  }));
