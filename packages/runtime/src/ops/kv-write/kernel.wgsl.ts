// An item is one number of one token. Cells that lie in another buffer of the cache are the work of another dispatch.
import type { Shader, WgslKernel } from '../../webgpu/kernel.ts';
import { single } from '../../webgpu/team.ts';

const shader: Shader = {
  name: 'kvWrite',
  parts: () => ({
    inputs: ['kv', 'blockTable', 'seq', 'pos'],
    fields: ['kvDim', 'maxBlocks', 'blockTokens', 'first', 'count'],
    team: single,
    body: `
  let t = item / p.kvDim;
  let pos_t = get_pos(t);
  let block = get_blockTable(get_seq(t) * p.maxBlocks + pos_t / p.blockTokens);
  let cell = block * p.blockTokens + pos_t % p.blockTokens - p.first;
  if (cell < p.count) { put_cache(cell * p.kvDim + item % p.kvDim, get_kv(item)); }`,
  }),
};

export const kvWriteWgsl: WgslKernel<'kvWrite'> = ({ dims, ranges }) =>
  ranges(dims.T!, ['kv', 'seq', 'pos']).flatMap((some) =>
    ranges(dims.cells!, ['cache']).map((cache) => ({
      shader,
      rows: { kv: some, seq: some, pos: some, cache },
      fields: { first: cache.first, count: cache.count },
      items: some.count * dims.kvDim!,
    })),
  );
