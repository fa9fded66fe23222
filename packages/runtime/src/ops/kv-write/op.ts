import { checkBlocks, checkCells, pagingOperands } from '../paging.ts';
import type { OpSpec } from '../spec.ts';

export const kvWrite: OpSpec<'kvWrite'> = {
  name: 'kvWrite',
  formula: 'cache[cell(seq[t], pos[t])] = kv[t]; other cells keep their content',
  inputs: [{ name: 'kv', dtype: 'F32', shape: ['T', 'kvDim'] }, ...pagingOperands],
  output: { name: 'cache', dtype: 'F32', shape: ['cells', 'kvDim'] },
  params: { blockTokens: { kind: 'integer', min: 1 } },
  tolerance: 0,
  checkDims: (dims) => checkCells('kvWrite', dims),
  checkIndices: (indices, dims) => checkBlocks('kvWrite', indices, dims, 1),
};
