// An item is a row.
import { exponentialsWgsl } from '../../webgpu/exponentials.ts';
import type { Shader, WgslKernel } from '../../webgpu/kernel.ts';
import { logOfSum } from '../../webgpu/log-of-sum.ts';
import { reductions, type Team, teamForRow } from '../../webgpu/team.ts';

const shaderOf = (team: Team): Shader => ({
  name: `logProb ${team.lanes}`,
  parts: () => ({
    inputs: ['logits', 'targets'],
    fields: ['V'],
    team,
    declarations: exponentialsWgsl + reductions(team, ['team_sum', 'team_max']),
    body: `
  let at = item * p.V;${logOfSum('logits', 'p.V')}
  if (lane == 0u) { put_y(item, get_logits(at + get_targets(item)) - largest - log_of_all); }`,
  }),
});

export const logProbWgsl: WgslKernel<'logProb'> = ({ dims, capabilities, ranges }) =>
  ranges(dims.N!, ['logits', 'targets', 'y']).map((rows) => ({
    shader: shaderOf(teamForRow(dims.V!, capabilities)),
    rows: { logits: rows, targets: rows, y: rows },
    items: rows.count,
  }));
