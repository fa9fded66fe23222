// An item is a token. Scores become unsigned keys in the order of the op (NaN first, −0 equal to 0), and each choice is the
// largest key after the one before. Bits are compared, because WGSL lets a compiler assume that there are no NaN.
import type { Shader, WgslKernel } from '../../webgpu/kernel.ts';
import { scoreWgsl, scoringRow } from '../../webgpu/router-scores.ts';
import { single } from '../../webgpu/team.ts';
import type { OpParams } from '../index.ts';

/** Bit g is set where group g may be chosen from; `open_groups` sets those with the largest sums. */
const grouping = (byTwo: boolean): string => `
fn group_sum(at: u32, g: u32) -> f32 {
  var first = 0u;
  for (var i = 1u; i < p.group_size; i++) {
    if (key_of(choice(at, g * p.group_size + i)) > key_of(choice(at, g * p.group_size + first))) { first = i; }
  }
  var sum = choice(at, g * p.group_size + first);
  ${
    byTwo
      ? `var second = p.group_size;
  for (var i = 0u; i < p.group_size; i++) {
    if (i == first) { continue; }
    if (second == p.group_size || key_of(choice(at, g * p.group_size + i)) > key_of(choice(at, g * p.group_size + second))) { second = i; }
  }
  if (second < p.group_size) { sum += choice(at, g * p.group_size + second); }`
      : ''
  }
  return sum;
}
fn open_groups(at: u32) -> u32 {
  var sums: array<u32, 32>;
  for (var g = 0u; g < p.groups; g++) { sums[g] = key_of(group_sum(at, g)); }
  var open = 0u;
  for (var n = 0u; n < p.groups_used; n++) {
    var best = 32u;
    for (var g = 0u; g < p.groups; g++) {
      if (((open >> g) & 1u) == 0u && (best == 32u || sums[g] > sums[best])) { best = g; }
    }
    open |= 1u << best;
  }
  return open;
}`;

/** The key of −∞: experts of closed groups. */
const CLOSED = '0x007fffffu';

const shaderOf = ({ score = 'logits', groups = 1, groupBy = 'two' }: OpParams['route'], biased: boolean): Shader => ({
  name: ['route', score, biased && 'biased', groups > 1 && `groups by ${groupBy}`].filter(Boolean).join(' '),
  parts: () => ({
    inputs: biased ? ['logits', 'bias'] : ['logits'],
    fields: groups > 1 ? ['E', 'used', 'groups', 'group_size', 'groups_used'] : ['E', 'used'],
    team: single,
    declarations: `
fn key_of(score: f32) -> u32 {
  let bits = bitcast<u32>(score);
  let magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) { return 0xffffffffu; }
  if (magnitude == 0u || bits == magnitude) { return magnitude | 0x80000000u; }
  return ~bits;
}
${scoreWgsl(score)}
fn choice(at: u32, e: u32) -> f32 { return score_of(get_logits(at + e))${biased ? ' + get_bias(e)' : ''}; }
${groups > 1 ? grouping(groupBy === 'two') : ''}`,
    body: `
  let at = item * p.E;${scoringRow(score, 'at')}
  ${groups > 1 ? 'let open = open_groups(at);' : ''}
  var last_key = 0xffffffffu;
  var last = 0u;
  for (var n = 0u; n < p.used; n++) {
    var best_key = 0u;
    var best = 0u;
    for (var e = 0u; e < p.E; e++) {
      ${
        groups > 1
          ? `var key = ${CLOSED};
      if (((open >> (e / p.group_size)) & 1u) == 1u) { key = key_of(choice(at, e)); }`
          : 'let key = key_of(choice(at, e));'
      }
      let after_last = n == 0u || key < last_key || (key == last_key && e > last);
      if (after_last && key > best_key) { best_key = key; best = e; }
    }
    put_ids(item * p.used + n, best);
    last_key = best_key;
    last = best;
  }`,
  }),
});

export const routeWgsl: WgslKernel<'route'> = ({ dims, params, has, ranges }) => {
  const { groups = 1, groupsUsed = groups } = params;
  return ranges(dims.T!, ['logits', 'ids']).map((rows) => ({
    shader: shaderOf(params, has('bias')),
    rows: { logits: rows, ids: rows },
    fields: { groups, group_size: dims.E! / groups, groups_used: groupsUsed },
    items: rows.count,
  }));
};
