// An item is a group; its team transforms it in memory that it shares.
import type { Shader, WgslKernel } from '../../webgpu/kernel.ts';
import { type Team, teamOf } from '../../webgpu/team.ts';

const shaderOf = (team: Team, size: number): Shader => ({
  name: `hadamard ${size} ${team.lanes}`,
  parts: () => ({
    inputs: ['x'],
    fields: [],
    team,
    declarations: `var<${team.memory}> numbers: array<f32, ${size}>;`,
    body: `
  let first = item * ${size}u;
  for (var i = lane; i < ${size}u; i += LANES) { numbers[i] = get_x(first + i) * ${1 / Math.sqrt(size)}; }
  ${team.barrier}
  for (var half = 1u; half < ${size}u; half *= 2u) {
    for (var pair = lane; pair < ${size / 2}u; pair += LANES) {
      let low = pair / half * 2u * half + pair % half;
      let a = numbers[low];
      let b = numbers[low + half];
      numbers[low] = a + b;
      numbers[low + half] = a - b;
    }
    ${team.barrier}
  }
  for (var i = lane; i < ${size}u; i += LANES) { put_y(first + i, numbers[i]); }`,
  }),
});

export const hadamardWgsl: WgslKernel<'hadamard'> = ({ dims, params: { size }, capabilities, ranges }) =>
  ranges(dims.N!, ['x', 'y']).map((rows) => ({
    shader: shaderOf(teamOf(Math.min(64, size / 2), capabilities), size),
    rows: { x: rows, y: rows },
    items: (rows.count * dims.C!) / size,
  }));
