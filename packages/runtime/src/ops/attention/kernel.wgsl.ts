// An item is one token and a few heads that share keys and values, so that each of those is read once for all of them. The
// team takes as many positions at a time as it has lanes: a lane scores its position for every head, then each lane sums
// the values of all positions for its dimensions. The softmax is kept online: sums so far are scaled down when a larger
// score appears.
// One token of a long text would be the work of few workgroups: its positions are then divided into spans, each an item of
// its own, which leaves its largest score, the sum of its powers and its sums of values in scratch memory; a second shader
// joins them. Caches that are cut into several buffers are parts in the same way: a dispatch sees the cells of one buffer.
import { each } from '../../webgpu/each.ts';
import { exponentialsWgsl } from '../../webgpu/exponentials.ts';
import type { Dispatch, Shader, WgslCall, WgslKernel } from '../../webgpu/kernel.ts';
import { reductions, single, type Team, teamOf } from '../../webgpu/team.ts';

interface Heads {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  /** Heads per item; divides heads / kvHeads. */
  readonly together: number;
}

const MAX_TOGETHER = 8;
const UNBOUNDED = 0x7fffffff;
/** Fewer positions are not worth a span, nor are more workgroups than keep a large GPU busy. */
const POSITIONS_PER_SPAN = 64;
const WANTED_WORKGROUPS = 256;
const MAX_SPANS = 64;

/** Queries, powers and cells of an item, and the arrays of two reductions. */
const sharedBytes = (headDim: number, together: number, lanes: number) =>
  4 * (together * headDim + together * lanes + lanes + 2 * lanes);

const shaderOf = (
  { heads, kvHeads, headDim, together }: Heads,
  team: Team,
  vectors: readonly string[],
  kind: 'whole' | 'parted' | 'cut',
): Shader => ({
  name: `attention ${heads}/${kvHeads}x${headDim} ${together} ${team.lanes} ${vectors.join()} ${kind}`,
  parts: () => {
    const vectorsPerHead = headDim / 4;
    const dimsPerLane = Math.ceil(headDim / team.lanes);
    const parted = kind !== 'whole';
    const cut = kind === 'cut';
    return {
      inputs: ['q', 'kCache', 'vCache', 'blockTable', 'seq', 'pos'],
      vectors,
      fields: [
        ...['maxBlocks', 'blockTokens', 'window', 'scale'],
        ...(parted ? ['parts', 'first_part', 'spans'] : []),
        ...(cut ? ['first_cell', 'cell_count'] : []),
      ],
      team,
      ...(parted ? { scratch: 'f32' as const } : {}),
      declarations: `${exponentialsWgsl}${reductions(team, ['team_sum', 'team_max'])}
const LOWEST = -3.4e38; // stands for −∞, which WGSL may assume never occurs
var<${team.memory}> queries: array<vec4<f32>, ${together * vectorsPerHead}>;
var<${team.memory}> powers: array<f32, ${together * team.lanes}>;
var<${team.memory}> rows: array<u32, ${team.lanes}>;
`,
      body: `
  let job = ${parted ? 'item / p.spans' : 'item'};
  let t = job / ${heads / together}u;
  let head = job % ${heads / together}u * ${together}u;
  let kv_at = head / ${heads / kvHeads}u * ${headDim}u;
  var end = get_pos(t) + 1u;
  var start = select(0u, end - p.window, end > p.window);
${
  parted
    ? `  let span = item % p.spans;
  let share = (end - start + p.spans - 1u) / p.spans;
  start = min(end, start + span * share);
  end = min(end, start + share);`
    : ''
}
  let table = get_seq(t) * p.maxBlocks;
  let q_at = (t * ${heads}u + head) * ${headDim}u;
  for (var i = lane; i < ${together * vectorsPerHead}u; i += LANES) { queries[i] = get_q4(q_at + 4u * i); }
  ${team.barrier}
${each(together, (h) => `  var largest_${h} = LOWEST;\n  var total_${h} = 0.0;\n  var sums_${h}: array<f32, ${dimsPerLane}>;`)}
  for (var first = start; first < end; first += LANES) {
    let position = first + lane;
    var valid = position < end;
    var row = kv_at;
    if (valid) {
      let block = get_blockTable(table + position / p.blockTokens);
      let cell = block * p.blockTokens + position % p.blockTokens${cut ? ' - p.first_cell' : ''};
      ${cut ? 'valid = cell < p.cell_count;' : ''}
      row += ${cut ? 'select(0u, cell, valid)' : 'cell'} * ${kvHeads * headDim}u;
    }
    rows[lane] = row;
${each(together, (h) => `    var score_${h} = 0.0;`)}
    for (var d = 0u; d < ${vectorsPerHead}u; d++) {
      let key = get_kCache4(row + 4u * d);
${each(together, (h) => `      score_${h} += dot(queries[${h * vectorsPerHead}u + d], key);`)}
    }
${each(
  together,
  (h) => `    score_${h} = select(LOWEST, score_${h} * p.scale, valid);
    let now_${h} = max(largest_${h}, team_max(score_${h}, lane));
    let shrink_${h} = exp_of(largest_${h} - now_${h});
    let power_${h} = select(0.0, exp_of(score_${h} - now_${h}), valid);
    largest_${h} = now_${h};
    total_${h} = total_${h} * shrink_${h} + power_${h};
    powers[${h * team.lanes}u + lane] = power_${h};`,
)}
    ${team.barrier}
    let count = min(LANES, end - first);
    for (var j = 0u; j < ${dimsPerLane}u; j++) {
      let d = lane + j * LANES;
      if (d >= ${headDim}u) { break; }
${each(together, (h) => `      var sum_${h} = sums_${h}[j] * shrink_${h};`)}
      for (var i = 0u; i < count; i++) {
        let value = get_vCache(rows[i] + d);
${each(together, (h) => {
  const power = `powers[${h * team.lanes}u + i]`;
  // A cell of another buffer has power 0, and the row read in its place may hold anything.
  return `        sum_${h} += ${cut ? `select(0.0, ${power} * value, ${power} != 0.0)` : `${power} * value`};`;
})}
      }
${each(together, (h) => `      sums_${h}[j] = sum_${h};`)}
    }
    ${team.barrier}
  }
${each(
  together,
  (h) => `  let all_${h} = team_sum(total_${h}, lane);
  ${parted ? `let part_at_${h} = ((t * ${heads}u + head + ${h}u) * p.parts + p.first_part + span) * ${headDim + 2}u;` : ''}
  for (var j = 0u; j < ${dimsPerLane}u; j++) {
    let d = lane + j * LANES;
    if (d < ${headDim}u) { ${parted ? `scratch[part_at_${h} + 2u + d] = sums_${h}[j];` : `put_y(q_at + ${h * headDim}u + d, sums_${h}[j] / all_${h});`} }
  }
${parted ? `  if (lane == 0u) { scratch[part_at_${h}] = largest_${h}; scratch[part_at_${h} + 1u] = all_${h}; }` : ''}`,
)}`,
    };
  },
});

/** An item is one number of y. */
const joining = (headDim: number): Shader => ({
  name: `attention ${headDim} joined`,
  parts: () => ({
    inputs: [],
    fields: ['parts'],
    team: single,
    scratch: 'f32',
    declarations: exponentialsWgsl,
    body: `
  let first = item / ${headDim}u * p.parts * ${headDim + 2}u;
  let end = first + p.parts * ${headDim + 2}u;
  var largest = scratch[first];
  for (var at = first; at < end; at += ${headDim + 2}u) { largest = max(largest, scratch[at]); }
  var total = 0.0;
  var sum = 0.0;
  for (var at = first; at < end; at += ${headDim + 2}u) {
    let weight = exp_of(scratch[at] - largest);
    total += weight * scratch[at + 1u];
    sum += weight * scratch[at + 2u + item % ${headDim}u];
  }
  put_y(item, sum / total);`,
  }),
});

export const attentionWgsl: WgslKernel<'attention'> = (call) => {
  const { dims, params, aligned, ranges } = call;
  const { heads, kvHeads, headDim, window = UNBOUNDED } = params;
  const team = teamOf(64, call.capabilities);
  const together = headsTogether(call, team);
  const buffers = ranges(dims.cells!, ['kCache', 'vCache']);
  return ranges(dims.T!, ['q', 'seq', 'pos', 'y']).flatMap((tokens): Dispatch[] => {
    const jobs = tokens.count * (heads / together);
    const spans = team.lanes === 1 ? 1 : spansOf(call, jobs);
    const kind = buffers.length > 1 ? 'cut' : spans > 1 ? 'parted' : 'whole';
    const shader = shaderOf({ heads, kvHeads, headDim, together }, team, ['q', 'kCache'].filter(aligned), kind);
    const parts = buffers.length * spans;
    const scratchBytes = kind === 'whole' ? 0 : 4 * tokens.count * heads * parts * (headDim + 2);
    const scores = buffers.map((cells, i) => ({
      shader,
      rows: { q: tokens, seq: tokens, pos: tokens, y: tokens, kCache: cells, vCache: cells },
      fields: { window, parts, spans, first_part: i * spans, first_cell: cells.first, cell_count: cells.count },
      items: jobs * spans,
      scratchBytes,
    }));
    if (kind === 'whole') return scores;
    const items = tokens.count * heads * headDim;
    return [...scores, { shader: joining(headDim), rows: { y: tokens }, fields: { parts }, items, scratchBytes }];
  });
};

/** The most heads that share keys, that one workgroup has memory for and that divide their group. */
function headsTogether({ params, capabilities }: WgslCall<'attention'>, { lanes }: Team): number {
  const group = params.heads / params.kvHeads;
  const fits = (together: number) =>
    lanes > 1 && sharedBytes(params.headDim, together, lanes) <= capabilities.workgroupBytes;
  let together = Math.min(group, MAX_TOGETHER);
  while (together > 1 && (group % together || !fits(together))) together--;
  return together;
}

/** Into how many spans of positions a token's work is divided. */
function spansOf({ params, indices }: WgslCall<'attention'>, jobs: number): number {
  const { window = UNBOUNDED } = params;
  const longest = indices('pos').reduce((most, pos) => Math.max(most, Math.min(pos + 1, window)), 0);
  return Math.min(Math.ceil(longest / POSITIONS_PER_SPAN), Math.ceil(WANTED_WORKGROUPS / jobs), MAX_SPANS);
}
