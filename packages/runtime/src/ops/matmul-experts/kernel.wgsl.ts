// An item is a block of rows of one slot's expert. Rows that lie in another buffer of w are the work of another dispatch.
import { rowBytes } from '@quern/blocks';
import { each } from '../../webgpu/each.ts';
import type { Shader, WgslKernel } from '../../webgpu/kernel.ts';
import { teamOf } from '../../webgpu/team.ts';
import { type DotProducts, dotProductFunctions, dotProducts } from '../matmul/dot-products.wgsl.ts';

const shaderOf = (shape: DotProducts, vectors: boolean): Shader => {
  const { type, team, rows } = shape;
  return {
    name: `matmulExperts ${type.dtype.name} ${team.lanes} ${rows}${vectors ? ' vectors' : ''}`,
    parts: () => ({
      inputs: ['x', 'w', 'ids'],
      vectors: vectors ? ['x'] : [],
      fields: ['C', 'R', 'slots_per_row', 'first', 'count', 'row_bytes'],
      team,
      declarations: dotProductFunctions(shape),
      body: `
  let blocks = (p.R + ${rows - 1}u) / ${rows}u;
  let slot = item / blocks;
  let r = item % blocks * ${rows}u;
  let x_0 = slot / p.slots_per_row * p.C;
  let row = get_ids(slot) * p.R + r - p.first; // below 0, it wraps to more than any count
${each(rows, (i) => `  let row_${i} = p.w_base + min(row + ${i}u, p.count - 1u) * p.row_bytes;`)}
${dotProducts(shape)}
  if (lane > 0u) { return; }
${each(rows, (i) => `  if (r + ${i}u < p.R && row + ${i}u < p.count) { put_y(slot * p.R + r + ${i}u, sum_0_${i}); }`)}`,
    }),
  };
};

export const matmulExpertsWgsl: WgslKernel<'matmulExperts'> = ({ dims, capabilities, weight, aligned, ranges }) => {
  const { N, C, E, R, T, used } = dims as Record<'N' | 'C' | 'E' | 'R' | 'T' | 'used', number>;
  const type = weight('w');
  const team = teamOf(64, capabilities);
  const shape: DotProducts = { type, team, rows: team.lanes > 1 ? 4 : 1, tokens: 1 };
  return ranges(T, ['x', 'ids', 'y']).flatMap((some) =>
    ranges(E * R, ['w']).map((w) => ({
      shader: shaderOf(shape, C % 4 === 0 && aligned('x')),
      rows: { x: some, ids: some, y: some, w },
      fields: { slots_per_row: (T * used) / N, first: w.first, count: w.count, row_bytes: rowBytes(type.dtype, C) },
      items: some.count * used * Math.ceil(R / shape.rows),
    })),
  );
};
