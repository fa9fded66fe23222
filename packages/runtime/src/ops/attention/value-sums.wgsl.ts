// Parts of attention's shader (scores.wgsl.ts): how values are summed up, and where the sums go.
import { each } from '../../webgpu/each.ts';
import { type AttentionShape, CHUNK, sizesOf, VALUE_STRIDE } from './tile-shape.ts';

/** Chunk by chunk: values into workgroup memory, and from there, with their powers, into the sums. */
export function sumChunks(shape: AttentionShape): string {
  const { tokens, team } = shape;
  const { valueChunks: chunks, chunkLanes, groups, vectorsPerLane, dimsPerLane, vectors, vector } = sizesOf(shape);
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
      if (valid) { part = vCache_chunk(value_row, value_column + chunk * ${CHUNK}u, chunk * ${CHUNK}u); }
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

const partAt = ({ allHeads, heads, valueDim }: AttentionShape, query: string): string =>
  `(((first_token + ${query} / ${heads}u) * ${allHeads}u + head + ${query} % ${heads}u) * p.parts + p.first_part + span) * ${valueDim + 2}u`;

export const leavePart = (
  shape: AttentionShape,
  i: number,
  token: number,
  at: (name: string, i: number) => string,
): string => `  if (lane == 0u && first_token + ${token}u < p.T) {
    scratch[${partAt(shape, `${i}u`)}] = ${at('largest', i)};
    scratch[${partAt(shape, `${i}u`)} + 1u] = ${at('all', i)};
  }`;

export function store(shape: AttentionShape, parted: boolean): string {
  const { allHeads, heads, valueDim } = shape;
  const { queries, valueChunks: chunks, chunkLanes, groups, vectorsPerLane, dimsPerLane, width } = sizesOf(shape);
  const component = width === 1 ? '' : '[k]';
  return `  for (var v = 0u; v < ${vectorsPerLane}u && lane < ${groups * chunkLanes}u; v++) {
    let vector = lane / ${chunkLanes}u + v * ${groups}u;
    for (var k = 0u; k < ${width}u; k++) {
      let query = vector * ${width}u + k;
      let token = first_token + query / ${heads}u;
      if (query >= ${queries}u || token >= p.T) { break; }
      for (var n = 0u; n < ${chunks * dimsPerLane}u; n++) {
        let d = n / ${dimsPerLane}u * ${CHUNK}u + lane % ${chunkLanes}u + n % ${dimsPerLane}u * ${chunkLanes}u;
        if (d >= ${valueDim}u) { break; }
        let sum = sums[v * ${chunks * dimsPerLane}u + n]${component};
        ${
          parted
            ? `scratch[${partAt(shape, 'query')} + 2u + d] = sum;`
            : `put_y((token * ${allHeads}u + head + query % ${heads}u) * ${valueDim}u + d, sum / shared_vectors[vector]${component});`
        }
      }
    }
  }`;
}
