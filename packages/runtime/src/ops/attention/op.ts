import { QuernError } from '@quern/errors';
import type { Op } from '../op.ts';
import { checkBlocks, checkCells, pagingOperands } from '../paging.ts';
import { attentionCpu } from './cpu.ts';
import { attentionWgsl } from './kernel.wgsl.ts';
import { attentionReference } from './reference.ts';

export const attention: Op<'attention'> = {
  name: 'attention',
  formula:
    'y[t] = softmax(scale · q[t] · decode(k)ᵀ) · decode(v) over positions max(0, pos[t] − window + 1) … pos[t] of seq[t]',
  inputs: [
    { name: 'q', dtype: 'F32', shape: ['T', 'heads*headDim'] },
    { name: 'kCache', dtype: 'cache', shape: ['cells', 'kvHeads*headDim'], wholeBlocks: 'headDim' },
    { name: 'vCache', dtype: 'cache', shape: ['cells', 'kvHeads*headDim'], wholeBlocks: 'headDim' },
    ...pagingOperands,
  ],
  output: { name: 'y', dtype: 'F32', shape: ['T', 'heads*headDim'] },
  params: {
    heads: { kind: 'integer', min: 1 },
    kvHeads: { kind: 'integer', min: 1 },
    headDim: { kind: 'integer', min: 4, max: 1024, multipleOf: 4 },
    scale: { kind: 'number' },
    blockTokens: { kind: 'integer', min: 1 },
    window: { kind: 'integer', min: 1, optional: true },
  },
  tolerance: 1e-12,
  reference: attentionReference,
  cpu: attentionCpu,
  wgsl: attentionWgsl,
  checkDims(dims) {
    checkCells('attention', dims);
    if (dims.heads! % dims.kvHeads!)
      throw new QuernError(
        'op-bad-param',
        `attention: ${dims.heads} heads cannot share ${dims.kvHeads} kvHeads evenly`,
      );
  },
  checkIndices: (indices, dims, { window }) => checkBlocks('attention', indices, dims, window ?? Infinity),
};
