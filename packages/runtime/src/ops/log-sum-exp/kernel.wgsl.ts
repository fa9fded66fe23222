// An item is a row.
import { exponentialsWgsl } from '../../webgpu/exponentials.ts';
import type { Shader, WgslKernel } from '../../webgpu/kernel.ts';
import { logOfSum } from '../../webgpu/log-of-sum.ts';
import { reductions, type Team, teamForRow } from '../../webgpu/team.ts';

const shaderOf = (team: Team): Shader => ({
  name: `logSumExp ${team.lanes}`,
  parts: () => ({
    inputs: ['x'],
    fields: ['C'],
    team,
    declarations: exponentialsWgsl + reductions(team, ['team_sum', 'team_max']),
    body: `
  let at = item * p.C;${logOfSum('x', 'p.C')}
  if (lane == 0u) { put_y(item, largest + log_of_all); }`,
  }),
});

export const logSumExpWgsl: WgslKernel<'logSumExp'> = ({ dims, capabilities, ranges }) =>
  ranges(dims.N!, ['x', 'y']).map((rows) => ({
    shader: shaderOf(teamForRow(dims.C!, capabilities)),
    rows: { x: rows, y: rows },
    items: rows.count,
  }));
