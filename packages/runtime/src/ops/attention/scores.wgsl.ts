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
import { exponentialsWgsl } from '../../webgpu/exponentials.ts';
import type { Shader } from '../../webgpu/kernel.ts';
import { blockPlace, type StoredType, snippetFor } from '../../webgpu/stored-type.ts';
import { reductions, single, type Team } from '../../webgpu/team.ts';
import { CHUNK, VALUE_STRIDE } from './tile-shape.ts';

export interface AttentionShape {
  readonly allHeads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly kType: StoredType;
  readonly vType: StoredType;
  /** Heads and tokens of a tile; the heads divide those that share keys. */
  readonly heads: number;
  readonly tokens: number;
  readonly team: Team;
}

/** Whether an item sees all its positions; `cut`: those of them whose cells lie in the bound buffer. */
export type PartKind = 'whole' | 'parted' | 'cut';

export const scoring = (shape: AttentionShape, kind: PartKind): Shader => {
  const { allHeads, kvHeads, headDim, kType, vType, heads, tokens, team } = shape;
  const parted = kind !== 'whole';
  return {
    name: `attention ${allHeads}/${kvHeads}x${headDim} ${kType.dtype.name} ${vType.dtype.name} ${heads}x${tokens} ${team.lanes} ${kind}`,
    parts: () => ({
      inputs: ['q', 'kCache', 'vCache', 'blockTable', 'seq', 'pos'],
      fields: [
        ...['T', 'maxBlocks', 'blockTokens', 'window', 'scale'],
        ...(parted ? ['parts', 'first_part', 'spans'] : []),
        ...(kind === 'cut' ? ['first_cell', 'cell_count'] : []),
      ],
      team,
      ...(parted && { scratch: 'f32' }),
      declarations: declarations(shape),
      body: body(shape, kind),
    }),
  };
};

/** Numbers that the text of a shader is made from. */
function sizesOf({ headDim, heads, tokens, team }: AttentionShape) {
  const queries = heads * tokens;
  const width = team.lanes === 1 ? 1 : 4; // of a vector of queries
  const vectors = Math.ceil(queries / width);
  const chunkLanes = Math.min(team.lanes, CHUNK); // each sums its dimensions of a chunk
  const groups = Math.min(team.lanes / chunkLanes, vectors); // of lanes, each with its vectors of queries
  return {
    queries,
    width,
    vectors,
    chunkLanes,
    groups,
    vectorsPerLane: Math.ceil(vectors / groups),
    dimsPerLane: CHUNK / chunkLanes,
    chunks: Math.ceil(headDim / CHUNK),
    vector: width === 1 ? 'f32' : 'vec4<f32>',
    /** Query `i` within its vector `name_<n>`. */
    at: (name: string, i: number) => (width === 1 ? `${name}_${i}` : `${name}_${i >> 2}.${'xyzw'[i & 3]}`),
  };
}

function declarations(shape: AttentionShape): string {
  const { headDim, kType, vType, team } = shape;
  const { queries, vectors, vector, chunks, width } = sizesOf(shape);
  return `${exponentialsWgsl}${reductions(team, width === 1 ? ['team_max', 'team_sum'] : ['team_max4', 'team_sum4'])}
${chunkReader('kCache', kType, headDim)}
${chunkReader('vCache', vType, headDim)}
const LOWEST = -3.4e38; // stands for −∞, which WGSL may assume never occurs
var<${team.memory}> queries: array<vec4<f32>, ${queries * chunks * (CHUNK / 4)}>;
var<${team.memory}> powers: array<${vector}, ${vectors * team.lanes}>;
var<${team.memory}> shared_vectors: array<${vector}, ${vectors}>;
var<${team.memory}> values: array<f32, ${team.lanes * VALUE_STRIDE}>;
`;
}

/** `<operand>_chunk(row, c, d)`: 32 numbers from column c on of the row at byte `row`; d of the head's come before them. */
function chunkReader(operand: string, type: StoredType, headDim: number): string {
  const place = blockPlace(type, 'row', 'c');
  const end = `
  if (d + ${CHUNK}u > ${headDim}u) {
    var part = array<vec4<f32>, 8>();
    for (var i = 0u; i < ${headDim}u - d; i++) { part[i >> 2u][i & 3u] = ${operand}_decode1(row, c + i); }
    return part;
  }`;
  return `${snippetFor(operand, type.decoder)}
fn ${operand}_chunk(row: u32, c: u32, d: u32) -> array<vec4<f32>, 8> {${headDim % CHUNK ? end : ''}
  return ${operand}_decode32(${place});
}`;
}

function body(shape: AttentionShape, kind: PartKind): string {
  const { allHeads, kvHeads, headDim, kType, vType, heads, tokens, team } = shape;
  const { queries, vectors, vector, chunks, at, width } = sizesOf(shape);
  const { vectorsPerLane, dimsPerLane } = sizesOf(shape);
  const parted = kind !== 'whole';
  const perQuery = (line: (i: number, token: number) => string) => each(queries, (i) => line(i, Math.floor(i / heads)));
  const queryVectors = chunks * (CHUNK / 4);
  const bytesOfRow = ({ dtype }: StoredType) => rowBytes(dtype, kvHeads * headDim);
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
${each(
  tokens,
  (t) => `  let token_${t} = min(first_token + ${t}u, p.T - 1u);
  let end_${t} = get_pos(token_${t}) + 1u;
  let start_${t} = select(0u, end_${t} - p.window, end_${t} > p.window);`,
)}
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
  var sums: array<${vector}, ${vectorsPerLane * chunks * dimsPerLane}>;
  for (var first = start; first < end; first += LANES) {
    let position = first + lane;
    var valid = position < end;
    var cell = 0u;
    if (valid) {
      let block = get_blockTable(table + position / p.blockTokens);
      cell = block * p.blockTokens + position % p.blockTokens${kind === 'cut' ? ' - p.first_cell' : ''};
      ${kind === 'cut' ? 'valid = cell < p.cell_count;\n      cell = select(0u, cell, valid);' : ''}
    }
    let key_row = p.kCache_base + cell * ${bytesOfRow(kType)}u;
    let value_row = p.vCache_base + cell * ${bytesOfRow(vType)}u;
${perQuery((i) => `    var score_${i} = 0.0;`)}
    for (var chunk = 0u; chunk < ${chunks}u; chunk++) {
      let keys = kCache_chunk(key_row, column + chunk * ${CHUNK}u, chunk * ${CHUNK}u);
${perQuery((i) => `      score_${i} += ${dots(`${i * queryVectors}u + chunk * ${CHUNK / 4}u`)};`)}
    }
${each(tokens, (t) => `    let sees_${t} = valid${tokens > 1 ? ` && position < end_${t} && position >= start_${t}` : ''};`)}
${each(
  vectors,
  (n) => `    let now_${n} = max(largest_${n}, ${max}(${gather(
    n,
    (i) => `select(LOWEST, score_${i} * p.scale, sees_${Math.floor(i / heads)})`,
    'LOWEST',
  )}, lane));
    let shrink_${n} = ${gather(n, (i) => `exp_of(${at('largest', i)} - ${at('now', i)})`, '0.0')};
    let power_${n} = ${gather(
      n,
      (i) => `select(0.0, exp_of(score_${i} * p.scale - ${at('now', i)}), sees_${Math.floor(i / heads)})`,
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

const fold = (combine: string, name: string, count: number): string =>
  Array.from({ length: count }, (_, i) => `${name}_${i}`).reduce((all, one) => `${combine}(${all}, ${one})`);

const dots = (first: string): string =>
  Array.from({ length: 8 }, (_, k) => `dot(queries[${first} + ${k}u], keys[${k}])`).join(' + ');

/** Chunk by chunk: values into workgroup memory, and from there, with their powers, into the sums. */
function sumChunks(shape: AttentionShape): string {
  const { tokens, team } = shape;
  const { chunks, chunkLanes, groups, vectorsPerLane, dimsPerLane, vectors, vector } = sizesOf(shape);
  const busy = groups * chunkLanes < team.lanes ? `lane < ${groups * chunkLanes}u` : 'true';
  const slot = (v: number) => `sums[(${v * chunks}u + chunk) * ${dimsPerLane}u + j]`;
  const vectorOf = (v: number) => `min(lane / ${chunkLanes}u + ${v * groups}u, ${vectors - 1}u)`;
  // The value of a position that a query does not see has power 0, but may be NaN.
  const product = (v: number, careful: boolean) => {
    const power = `powers[vector_${v} * LANES + i]`;
    return careful ? `select(${vector}(), ${power} * value, ${power} != ${vector}())` : `${power} * value`;
  };
  const loop = (careful: boolean) => `for (var i = 0u; i < count; i++) {
          let value = values[i * ${VALUE_STRIDE}u + d];
${each(vectorsPerLane, (v) => `          sum_${v} += ${product(v, careful)};`)}
        }`;
  return `    for (var chunk = 0u; chunk < ${chunks}u; chunk++) {
      var part = array<vec4<f32>, 8>();
      if (valid) { part = vCache_chunk(value_row, column + chunk * ${CHUNK}u, chunk * ${CHUNK}u); }
${each(8, (k) => each(4, (j) => `      values[lane * ${VALUE_STRIDE}u + ${4 * k + j}u] = part[${k}].${'xyzw'[j]};`))}
      ${team.barrier}
      for (var j = 0u; j < ${dimsPerLane}u && ${busy}; j++) {
        let d = lane % ${chunkLanes}u + j * ${chunkLanes}u;
${each(vectorsPerLane, (v) => `        let vector_${v} = ${vectorOf(v)};\n        var sum_${v} = ${slot(v)} * shared_vectors[vector_${v}];`)}
        ${tokens > 1 ? `if (all_see_all) {\n        ${loop(false)}\n        } else {\n        ${loop(true)}\n        }` : loop(false)}
${each(vectorsPerLane, (v) => `        ${slot(v)} = sum_${v};`)}
      }
      ${team.barrier}
    }`;
}

const partAt = ({ allHeads, heads, headDim }: AttentionShape, query: string): string =>
  `(((first_token + ${query} / ${heads}u) * ${allHeads}u + head + ${query} % ${heads}u) * p.parts + p.first_part + span) * ${headDim + 2}u`;

const leavePart = (
  shape: AttentionShape,
  i: number,
  token: number,
  at: (name: string, i: number) => string,
): string => `  if (lane == 0u && first_token + ${token}u < p.T) {
    scratch[${partAt(shape, `${i}u`)}] = ${at('largest', i)};
    scratch[${partAt(shape, `${i}u`)} + 1u] = ${at('all', i)};
  }`;

function store(shape: AttentionShape, parted: boolean): string {
  const { allHeads, heads, headDim } = shape;
  const { queries, chunks, chunkLanes, groups, vectorsPerLane, dimsPerLane, width } = sizesOf(shape);
  const component = width === 1 ? '' : '[k]';
  return `  for (var v = 0u; v < ${vectorsPerLane}u && lane < ${groups * chunkLanes}u; v++) {
    let vector = lane / ${chunkLanes}u + v * ${groups}u;
    for (var k = 0u; k < ${width}u; k++) {
      let query = vector * ${width}u + k;
      let token = first_token + query / ${heads}u;
      if (query >= ${queries}u || token >= p.T) { break; }
      for (var n = 0u; n < ${chunks * dimsPerLane}u; n++) {
        let d = n / ${dimsPerLane}u * ${CHUNK}u + lane % ${chunkLanes}u + n % ${dimsPerLane}u * ${chunkLanes}u;
        if (d >= ${headDim}u) { break; }
        let sum = sums[v * ${chunks * dimsPerLane}u + n]${component};
        ${
          parted
            ? `scratch[${partAt(shape, 'query')} + 2u + d] = sum;`
            : `put_y((token * ${allHeads}u + head + query % ${heads}u) * ${headDim}u + d, sum / shared_vectors[vector]${component});`
        }
      }
    }
  }`;
}

/** An item is one number of y. */
export const joiningSpans = (headDim: number): Shader => ({
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
