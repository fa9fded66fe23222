// An item is one block of one token: a number of plain types. Cells that lie in another buffer of the cache are the work of
// another dispatch.
import { rowBytes } from '@quern/blocks';
import type { Shader, WgslKernel } from '../../webgpu/kernel.ts';
import { type StoredType, snippetFor } from '../../webgpu/stored-type.ts';
import { single } from '../../webgpu/team.ts';

const shaderOf = ({ dtype, encoder }: StoredType): Shader => ({
  name: `kvWrite ${dtype.name}`,
  parts: () => ({
    inputs: ['kv', 'blockTable', 'seq', 'pos'],
    fields: ['kvDim', 'maxBlocks', 'blockTokens', 'first', 'count', 'row_bytes'],
    team: single,
    declarations: snippetFor('cache', encoder!),
    body: `
  let blocks = p.kvDim / ${dtype.blockSize}u;
  let t = item / blocks;
  let pos_t = get_pos(t);
  let block = get_blockTable(get_seq(t) * p.maxBlocks + pos_t / p.blockTokens);
  let cell = block * p.blockTokens + pos_t % p.blockTokens - p.first;
  if (cell >= p.count) { return; }
  let at = p.cache_base + cell * p.row_bytes + item % blocks * ${dtype.typeSize}u;
  ${
    dtype.blockSize === 1
      ? 'cache_encode1(at, get_kv(item));'
      : `var numbers: array<vec4<f32>, 8>;
  for (var k = 0u; k < 8u; k++) { numbers[k] = get_kv4(item * ${dtype.blockSize}u + 4u * k); }
  cache_encode32(at, numbers);`
  }`,
  }),
});

export const kvWriteWgsl: WgslKernel<'kvWrite'> = ({ dims, weight, ranges }) => {
  const type = weight('cache');
  const kvDim = dims.kvDim!;
  return ranges(dims.T!, ['kv', 'seq', 'pos']).flatMap((some) =>
    ranges(dims.cells!, ['cache']).map((cache) => ({
      shader: shaderOf(type),
      rows: { kv: some, seq: some, pos: some, cache },
      fields: { first: cache.first, count: cache.count, row_bytes: rowBytes(type.dtype, kvDim) },
      items: (some.count * kvDim) / type.dtype.blockSize,
    })),
  );
};
