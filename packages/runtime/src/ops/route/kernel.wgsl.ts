// An item is a token. Logits become unsigned keys in the order of the op (NaN first, −0 equal to 0), and each choice is
// the largest key after the one before. Bits are compared, because WGSL lets a compiler assume that there are no NaN.
import type { Shader, WgslKernel } from '../../webgpu/kernel.ts';
import { single } from '../../webgpu/team.ts';

const shader: Shader = {
  name: 'route',
  parts: () => ({
    inputs: ['logits'],
    fields: ['E', 'used'],
    team: single,
    declarations: `
fn key_of(logit: f32) -> u32 {
  let bits = bitcast<u32>(logit);
  let magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) { return 0xffffffffu; }
  if (magnitude == 0u || bits == magnitude) { return magnitude | 0x80000000u; }
  return ~bits;
}`,
    body: `
  let at = item * p.E;
  var last_key = 0xffffffffu;
  var last = 0u;
  for (var n = 0u; n < p.used; n++) {
    var best_key = 0u;
    var best = 0u;
    for (var e = 0u; e < p.E; e++) {
      let key = key_of(get_logits(at + e));
      let after_last = n == 0u || key < last_key || (key == last_key && e > last);
      if (after_last && key > best_key) { best_key = key; best = e; }
    }
    put_ids(item * p.used + n, best);
    last_key = best_key;
    last = best;
  }`,
  }),
};

export const routeWgsl: WgslKernel<'route'> = ({ dims, ranges }) =>
  ranges(dims.T!, ['logits', 'ids']).map((rows) => ({
    shader,
    rows: { logits: rows, ids: rows },
    items: rows.count,
  }));
