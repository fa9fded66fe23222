import type { Op } from '../op.ts';
import { checkBlocks, checkCells, pagingOperands } from '../paging.ts';
import { kvWriteCpu } from './cpu.ts';
import { kvWriteWgsl } from './kernel.wgsl.ts';
import { kvWriteReference } from './reference.ts';

export const kvWrite: Op<'kvWrite'> = {
  name: 'kvWrite',
  formula: 'cache[cell(seq[t], pos[t])] = encode(kv[t]); other cells keep their content',
  inputs: [{ name: 'kv', dtype: 'F32', shape: ['T', 'kvDim'] }, ...pagingOperands],
  output: { name: 'cache', dtype: 'cache', shape: ['cells', 'kvDim'] },
  params: { blockTokens: { kind: 'integer', min: 1 } },
  tolerance: 0,
  reference: kvWriteReference,
  cpu: kvWriteCpu,
  wgsl: kvWriteWgsl,
  checkDims: (dims) => checkCells('kvWrite', dims),
  checkIndices(indices, dims) {
    const pos = indices('pos');
    checkBlocks('kvWrite', indices, dims, (token) => ({ first: pos[token]!, last: pos[token]! }));
  },
};
