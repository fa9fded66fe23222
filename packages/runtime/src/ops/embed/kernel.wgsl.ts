// An item is 32 numbers of one token. Rows that lie in another buffer of the table are the work of another dispatch.
import { rowBytes } from '@quern/blocks';
import type { Shader, WgslKernel } from '../../webgpu/kernel.ts';
import { blockPlace, type StoredType } from '../../webgpu/stored-type.ts';
import { single } from '../../webgpu/team.ts';

const shaderOf = (type: StoredType): Shader => ({
  name: `embed ${type.dtype.name}`,
  parts: () => ({
    inputs: ['table', 'ids'],
    fields: ['C', 'row_bytes', 'first', 'count'],
    team: single,
    table: type.table,
    declarations: type.decoder,
    body: `
  let steps = (p.C + 31u) / 32u;
  let t = item / steps;
  let c = item % steps * 32u;
  let row = get_ids(t) - p.first;
  if (row >= p.count) { return; }
  let row_at = p.w_base + row * p.row_bytes;
  let y_at = t * p.C + c;
${
  type.dtype.blockSize === 1
    ? `  if (c + 32u > p.C) {
    for (var i = c; i < p.C; i++) { put_y(t * p.C + i, decode1(row_at, i)); }
    return;
  }`
    : ''
}
  let values = decode32(${blockPlace(type, 'row_at', 'c')});
${Array.from({ length: 32 }, (_, i) => `  put_y(y_at + ${i}u, values[${i >> 2}].${'xyzw'[i & 3]});`).join('\n')}`,
  }),
});

export const embedWgsl: WgslKernel<'embed'> = ({ dims, weight, ranges }) => {
  const type = weight('table');
  return ranges(dims.T!, ['ids', 'y']).flatMap((some) =>
    ranges(dims.vocab!, ['table']).map((table) => ({
      shader: shaderOf(type),
      rows: { table, ids: some, y: some },
      fields: { row_bytes: rowBytes(type.dtype, dims.C!), first: table.first, count: table.count },
      items: some.count * Math.ceil(dims.C! / 32),
    })),
  );
};
