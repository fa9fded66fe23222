// An item is a row. WGSL has no f64: the sum is one of sums of 64, so that a vocabulary of 150k loses no digits.
import { exponentialsWgsl } from '../../webgpu/exponentials.ts';
import type { Shader, WgslKernel } from '../../webgpu/kernel.ts';
import { reductions, type Team, teamForRow } from '../../webgpu/team.ts';

const shaderOf = (team: Team): Shader => ({
  name: `logProb ${team.lanes}`,
  parts: () => ({
    inputs: ['logits', 'targets'],
    fields: ['V'],
    team,
    declarations: exponentialsWgsl + reductions(team, ['team_sum', 'team_max']),
    body: `
  let at = item * p.V;
  var largest = get_logits(at);
  for (var c = lane; c < p.V; c += LANES) { largest = max(largest, get_logits(at + c)); }
  largest = team_max(largest, lane);
  var sum = 0.0;
  for (var start = lane; start < p.V; start += 64u * LANES) {
    var part = 0.0;
    for (var c = start; c < min(p.V, start + 64u * LANES); c += LANES) { part += exp_of(get_logits(at + c) - largest); }
    sum += part;
  }
  sum = team_sum(sum, lane);
  if (lane == 0u) { put_y(item, get_logits(at + get_targets(item)) - largest - log_of(sum)); }`,
  }),
});

export const logProbWgsl: WgslKernel<'logProb'> = ({ dims, capabilities, ranges }) =>
  ranges(dims.N!, ['logits', 'targets', 'y']).map((rows) => ({
    shader: shaderOf(teamForRow(dims.V!, capabilities)),
    rows: { logits: rows, targets: rows, y: rows },
    items: rows.count,
  }));
