// An item is a row. The powers are stored in y and divided by their sum afterwards.
import { exponentialsWgsl } from '../../webgpu/exponentials.ts';
import type { Shader, WgslKernel } from '../../webgpu/kernel.ts';
import { reductions, type Team, teamForRow } from '../../webgpu/team.ts';

const shaderOf = (team: Team): Shader => ({
  name: `softmax ${team.lanes}`,
  parts: () => ({
    inputs: ['x'],
    fields: ['C'],
    team,
    declarations: exponentialsWgsl + reductions(team, ['team_sum', 'team_max']),
    body: `
  let at = item * p.C;
  var largest = get_x(at);
  for (var c = lane; c < p.C; c += LANES) { largest = max(largest, get_x(at + c)); }
  largest = team_max(largest, lane);
  var sum = 0.0;
  for (var c = lane; c < p.C; c += LANES) {
    let e = exp_of(get_x(at + c) - largest);
    put_y(at + c, e);
    sum += e;
  }
  sum = team_sum(sum, lane);
  for (var c = lane; c < p.C; c += LANES) { put_y(at + c, get_y(at + c) / sum); }`,
  }),
});

export const softmaxWgsl: WgslKernel<'softmax'> = ({ dims, capabilities, ranges }) =>
  ranges(dims.N!, ['x', 'y']).map((rows) => ({
    shader: shaderOf(teamForRow(dims.C!, capabilities)),
    rows: { x: rows, y: rows },
    items: rows.count,
  }));
