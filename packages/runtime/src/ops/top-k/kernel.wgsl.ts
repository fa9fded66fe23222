// An item is a row. Numbers become unsigned keys in the order of the op. Each lane knows the first of its own columns that has
// not been taken; the first of these is taken next, and only its lane looks for another. Bits are compared, because WGSL lets a
// compiler assume that there are no NaN.
import type { Shader, WgslKernel } from '../../webgpu/kernel.ts';
import { reductions, type Team, teamForRow } from '../../webgpu/team.ts';

const shaderOf = (team: Team): Shader => ({
  name: `topK ${team.lanes}`,
  parts: () => ({
    inputs: ['x'],
    fields: ['C', 'W', 'count'],
    team,
    declarations: `${reductions(team, ['team_sum', 'team_max_bits'])}
const NONE = 0xffffffffu;
/** 0 is left for lanes that have nothing more. */
fn key_of(bits: u32) -> u32 {
  let magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) { return 1u; }
  if (magnitude == 0u || bits == magnitude) { return magnitude | 0x80000000u; }
  return ~bits;
}`,
    body: `
  let at = item * p.C;
  var strange = 0.0;
  for (var c = lane; c < p.C; c += LANES) {
    if ((bitcast<u32>(get_x(at + c)) & 0x7f800000u) == 0x7f800000u) { strange += 1.0; }
  }
  strange = team_sum(strange, lane);
  var taken_key = NONE;
  var taken = 0u;
  var own_key = 0u;
  var own = NONE;
  var looks = true;
  for (var n = 0u; n < p.count; n++) {
    if (looks) {
      own_key = 0u;
      own = NONE;
      for (var c = lane; c < p.C; c += LANES) {
        let key = key_of(bitcast<u32>(get_x(at + c)));
        let is_left = key < taken_key || (key == taken_key && c > taken);
        if (is_left && key > own_key) { own_key = key; own = c; }
      }
      looks = false;
    }
    let key = team_max_bits(own_key, lane);
    let column = NONE - team_max_bits(select(0u, NONE - own, own_key == key), lane);
    if (own == column) {
      put_y(item * p.W + n, own);
      put_y(item * p.W + p.count + n, bitcast<u32>(get_x(at + own)));
      taken_key = own_key;
      taken = own;
      looks = true;
    }
  }
  if (lane == 0u) { put_y(item * p.W + 2u * p.count, u32(strange)); }`,
  }),
});

export const topKWgsl: WgslKernel<'topK'> = ({ dims, capabilities, ranges }) =>
  ranges(dims.N!, ['x', 'y']).map((rows) => ({
    shader: shaderOf(teamForRow(dims.C!, capabilities)),
    rows: { x: rows, y: rows },
    items: rows.count,
  }));
