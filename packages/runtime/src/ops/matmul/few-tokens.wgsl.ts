// matmul for few tokens, where reading the weights is all the work: an item is a block of rows for up to four tokens. With
// teams of one it is also the kernel for any number of tokens, a lane per row.
import { each } from '../../webgpu/each.ts';
import type { Shader } from '../../webgpu/kernel.ts';
import { type DotProducts, dotProductFunctions, dotProducts, nameOf } from './dot-products.wgsl.ts';

/** Fields: T and R as bound, `stride` and `first` of y's rows, `row_bytes` of w. */
export const fewTokens = (shape: DotProducts, bias: boolean, vectors: boolean): Shader => {
  const { type, team, rows, tokens, integers } = shape;
  const x = integers ? [] : ['x'];
  return {
    name: `matmul ${nameOf(shape)}${bias ? ' bias' : ''}${vectors ? ' vectors' : ''}`,
    parts: () => ({
      inputs: bias ? [...x, 'w', 'bias'] : [...x, 'w'],
      vectors: vectors ? x : [],
      ...(integers ? { scratch: 'vec4<u32>' } : { table: type.table }),
      fields: ['T', 'C', 'R', 'stride', 'first', 'row_bytes'],
      team,
      declarations: dotProductFunctions(shape),
      body: `
  let blocks = (p.R + ${rows - 1}u) / ${rows}u;
  let t = item / blocks * ${tokens}u;
  let r = item % blocks * ${rows}u;
${each(tokens, (i) => `  let x_${i} = min(t + ${i}u, p.T - 1u);`)}
${each(rows, (i) => `  let row_${i} = p.w_base + min(r + ${i}u, p.R - 1u) * p.row_bytes;`)}
${dotProducts(shape)}
  if (lane > 0u) { return; }
${each(tokens, (i) =>
  each(
    rows,
    (j) => `  if (t + ${i}u < p.T && r + ${j}u < p.R) {
    let place = p.first + r + ${j}u;
    put_y((t + ${i}u) * p.stride + place, sum_${i}_${j}${bias ? ' + get_bias(place)' : ''});
  }`,
  ),
)}`,
    }),
  };
};
