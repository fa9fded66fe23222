// The shader of attention. An item is a tile of queries: some heads that share keys and values, of some tokens of one
// sequence. The team takes as many positions at a time as it has lanes. A lane scores its position for every query; then,
// 32 dimensions of the head after the other, the lanes put the values of their positions into workgroup memory, and each sums
// them for a dimension and some queries. The softmax is kept online: sums so far are scaled down when a larger score appears.
//
// Queries are handled in fours, as vectors (alone where a lane is a team); query i is head i mod heads of token i / heads.
// A part of the positions leaves, for each query, its largest score, the sum of its powers and its sums of values in scratch
// memory; a second shader joins the parts.
import { rowBytes } from '@quern/blocks';
import { each } from '../../webgpu/each.ts';
import { exponentialsWgsl, tanhWgsl } from '../../webgpu/exponentials.ts';
import type { Shader } from '../../webgpu/kernel.ts';
import { blockPlace, type StoredType, snippetFor } from '../../webgpu/stored-type.ts';
import { reductions } from '../../webgpu/team.ts';
import { type AttentionShape, CHUNK, sizesOf, VALUE_STRIDE } from './tile-shape.ts';
import { leavePart, store, sumChunks } from './value-sums.wgsl.ts';

/** Whether an item sees all its positions; `cut`: those of them whose cells lie in the bound buffer. */
export type PartKind = 'whole' | 'parted' | 'cut';

export const scoring = (shape: AttentionShape, kind: PartKind): Shader => {
  const parted = kind !== 'whole';
  return {
    name: nameOf(shape, kind),
    parts: () => ({
      inputs: ['q', 'kCache', 'vCache', 'blockTable', 'seq', 'pos'],
      fields: [
        ...['T', 'maxBlocks', 'blockTokens', 'window', 'scale'],
        ...(shape.capped ? ['softCap'] : []),
        ...(shape.chunked ? ['chunk'] : []),
        ...(shape.causal ? [] : ['last']),
        ...(parted ? ['parts', 'first_part', 'spans'] : []),
        ...(kind === 'cut' ? ['first_cell', 'cell_count'] : []),
      ],
      team: shape.team,
      ...(parted && { scratch: 'f32' }),
      declarations: declarations(shape),
      body: body(shape, kind),
    }),
  };
};

function nameOf(shape: AttentionShape, kind: PartKind): string {
  const { allHeads, kvHeads, headDim, valueDim, valueStride, kType, vType, heads, tokens, team } = shape;
  const sizes = `${allHeads}/${kvHeads}x${headDim}/${valueDim}/${valueStride} ${kType.dtype.name} ${vType.dtype.name}`;
  const kinds = [shape.capped && 'capped', shape.chunked && 'chunked', !shape.causal && 'both ways', kind];
  return `attention ${sizes} ${heads}x${tokens} ${team.lanes} ${kinds.filter(Boolean).join(' ')}`;
}

function declarations(shape: AttentionShape): string {
  const { headDim, valueDim, kType, vType, team, capped } = shape;
  const { queries, vectors, vector, keyChunks, width } = sizesOf(shape);
  return `${exponentialsWgsl}${capped ? tanhWgsl : ''}${reductions(team, width === 1 ? ['team_max', 'team_sum'] : ['team_max4', 'team_sum4'])}
${chunkReader('kCache', kType, headDim)}
${chunkReader('vCache', vType, valueDim)}
const LOWEST = -3.4e38; // stands for −∞, which WGSL may assume never occurs
var<${team.memory}> queries: array<vec4<f32>, ${queries * keyChunks * (CHUNK / 4)}>;
var<${team.memory}> powers: array<${vector}, ${vectors * team.lanes}>;
var<${team.memory}> shared_vectors: array<${vector}, ${vectors}>;
var<${team.memory}> values: array<f32, ${team.lanes * VALUE_STRIDE}>;
`;
}

/** `<operand>_chunk(row, c, d)`: 32 numbers from column c on of the row at byte `row`; d of the head's come before them. */
function chunkReader(operand: string, type: StoredType, size: number): string {
  const place = blockPlace(type, 'row', 'c');
  const end = `
  if (d + ${CHUNK}u > ${size}u) {
    var part = array<vec4<f32>, 8>();
    for (var i = 0u; i < ${size}u - d; i++) { part[i >> 2u][i & 3u] = ${operand}_decode1(row, c + i); }
    return part;
  }`;
  return `${snippetFor(operand, type.decoder)}
fn ${operand}_chunk(row: u32, c: u32, d: u32) -> array<vec4<f32>, 8> {${size % CHUNK ? end : ''}
  return ${operand}_decode32(${place});
}`;
}

function body(shape: AttentionShape, kind: PartKind): string {
  const { allHeads, kvHeads, headDim, valueStride, kType, vType, heads, tokens, team } = shape;
  const { queries, vectors, vector, keyChunks, valueChunks, at, width } = sizesOf(shape);
  const { vectorsPerLane, dimsPerLane } = sizesOf(shape);
  const parted = kind !== 'whole';
  const perQuery = (line: (i: number, token: number) => string) => each(queries, (i) => line(i, Math.floor(i / heads)));
  const queryVectors = keyChunks * (CHUNK / 4);
  const [max, sum] = width === 1 ? ['team_max', 'team_sum'] : ['team_max4', 'team_sum4'];
  /** Vector `n` of expressions by query; `other` for queries that are none. */
  const gather = (n: number, of: (i: number) => string, other: string) =>
    width === 1
      ? of(n)
      : `vec4<f32>(${[0, 1, 2, 3].map((k) => (4 * n + k < queries ? of(4 * n + k) : other)).join(', ')})`;
  return `
  let job = ${parted ? 'item / p.spans' : 'item'};
  let first_token = job / ${allHeads / heads}u * ${tokens}u;
  let head = job % ${allHeads / heads}u * ${heads}u;
  let column = head / ${allHeads / kvHeads}u * ${headDim}u;
  let value_column = head / ${allHeads / kvHeads}u * ${valueStride}u;
${each(tokens, (t) => positionsOf(shape, t))}
  var end = ${fold('max', 'end', tokens)};
  var start = ${fold('min', 'start', tokens)};
${
  parted
    ? `  let span = item % p.spans;
  let share = (end - start + p.spans - 1u) / p.spans;
  start = min(end, start + span * share);
  end = min(end, start + share);`
    : ''
}
  let table = get_seq(token_0) * p.maxBlocks;
  for (var i = lane; i < ${queries * queryVectors}u; i += LANES) {
    let query = i / ${queryVectors}u;
    let d = i % ${queryVectors}u * 4u;
    let token = min(first_token + query / ${heads}u, p.T - 1u);
    queries[i] = vec4<f32>();
    if (d < ${headDim}u) { queries[i] = get_q4((token * ${allHeads}u + head + query % ${heads}u) * ${headDim}u + d); }
  }
  ${team.barrier}
${each(vectors, (n) => `  var largest_${n} = ${vector}(LOWEST);\n  var total_${n} = ${vector}();`)}
  var sums: array<${vector}, ${vectorsPerLane * valueChunks * dimsPerLane}>;
  for (var first = start; first < end; first += LANES) {
    let position = first + lane;
    var valid = position < end;
    var cell = 0u;
    if (valid) {
      let block = get_blockTable(table + position / p.blockTokens);
      cell = block * p.blockTokens + position % p.blockTokens${kind === 'cut' ? ' - p.first_cell' : ''};
      ${kind === 'cut' ? 'valid = cell < p.cell_count;\n      cell = select(0u, cell, valid);' : ''}
    }
    let key_row = p.kCache_base + cell * ${rowBytes(kType.dtype, kvHeads * headDim)}u;
    let value_row = p.vCache_base + cell * ${rowBytes(vType.dtype, kvHeads * valueStride)}u;
${perQuery((i) => `    var score_${i} = 0.0;`)}
    for (var chunk = 0u; chunk < ${keyChunks}u; chunk++) {
      let keys = kCache_chunk(key_row, column + chunk * ${CHUNK}u, chunk * ${CHUNK}u);
${perQuery((i) => `      score_${i} += ${dots(`${i * queryVectors}u + chunk * ${CHUNK / 4}u`)};`)}
    }
${perQuery((i) => `    score_${i} = ${shape.capped ? `p.softCap * tanh_of(score_${i} * p.scale / p.softCap)` : `score_${i} * p.scale`};`)}
${each(tokens, (t) => `    let sees_${t} = valid${tokens > 1 ? ` && position < end_${t} && position >= start_${t}` : ''};`)}
${each(
  vectors,
  (n) => `    let now_${n} = max(largest_${n}, ${max}(${gather(
    n,
    (i) => `select(LOWEST, score_${i}, sees_${Math.floor(i / heads)})`,
    'LOWEST',
  )}, lane));
    let shrink_${n} = ${gather(n, (i) => `exp_of(${at('largest', i)} - ${at('now', i)})`, '0.0')};
    let power_${n} = ${gather(
      n,
      (i) => `select(0.0, exp_of(score_${i} - ${at('now', i)}), sees_${Math.floor(i / heads)})`,
      '0.0',
    )};
    largest_${n} = now_${n};
    total_${n} = total_${n} * shrink_${n} + power_${n};
    powers[${n * team.lanes}u + lane] = power_${n};
    if (lane == 0u) { shared_vectors[${n}] = shrink_${n}; }`,
)}
    let count = min(LANES, end - first);
${tokens > 1 ? `    let all_see_all = first >= ${fold('max', 'start', tokens)} && first + count <= ${fold('min', 'end', tokens)};` : ''}
${sumChunks(shape)}
  }
${each(vectors, (n) => `  let all_${n} = ${sum}(total_${n}, lane);`)}
${parted ? perQuery((i, token) => leavePart(shape, i, token, at)) : each(vectors, (n) => `  if (lane == 0u) { shared_vectors[${n}] = all_${n}; }`)}
  ${team.barrier}
${store(shape, parted)}`;
}

/** What token `t` of the tile sees: visible.ts in WGSL. */
function positionsOf({ chunked, causal }: AttentionShape, t: number): string {
  const own = `own_${t}`;
  const start = `select(0u, ${own} + 1u - p.window, ${own} + 1u > p.window)`;
  const chunk = `${own} / p.chunk * p.chunk`;
  const ends = [`${own} + p.window`, 'p.last + 1u'].concat(chunked ? [`${chunk} + p.chunk`] : []);
  return `  let token_${t} = min(first_token + ${t}u, p.T - 1u);
  let ${own} = get_pos(token_${t});
  let end_${t} = ${causal ? `${own} + 1u` : ends.reduce((all, one) => `min(${all}, ${one})`)};
  let start_${t} = ${chunked ? `max(${start}, ${chunk})` : start};`;
}

const fold = (combine: string, name: string, count: number): string =>
  Array.from({ length: count }, (_, i) => `${name}_${i}`).reduce((all, one) => `${combine}(${all}, ${one})`);

const dots = (first: string): string =>
  Array.from({ length: 8 }, (_, k) => `dot(queries[${first} + ${k}u], keys[${k}])`).join(' + ');
