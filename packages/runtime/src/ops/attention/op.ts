import { QuernError } from '@quern/errors';
import type { Op } from '../op.ts';
import { checkBlocks, checkCells, pagingOperands } from '../paging.ts';
import { attentionCpu } from './cpu.ts';
import { attentionWgsl } from './kernel.wgsl.ts';
import { attentionReference } from './reference.ts';
import { visiblePositions } from './visible.ts';

export const attention: Op<'attention'> = {
  name: 'attention',
  formula:
    'y[t] = softmax(cap(scale · q[t] · decode(k)ᵀ)) · decode(v) over positions max(0, pos[t] − window + 1) … pos[t] of seq[t]; ' +
    'cap(s) = softCap · tanh(s / softCap); with `chunk` only positions p with ⌊p/chunk⌋ = ⌊pos[t]/chunk⌋; ' +
    'without `causal` up to pos[t] + window − 1 and the largest position that the batch has of seq[t]; ' +
    'a sink joins each sum of powers of its head, with no value. Values may lie in rows of valueDim, or of headDim, whose ' +
    'first valueDim they are',
  inputs: [
    { name: 'q', dtype: 'F32', shape: ['T', 'heads*headDim'] },
    { name: 'kCache', dtype: 'cache', shape: ['cells', 'kvHeads*headDim'], wholeBlocks: 'headDim' },
    { name: 'vCache', dtype: 'cache', shape: ['cells', 'valueRow'], wholeBlocks: 'valueDim' },
    ...pagingOperands,
    { name: 'sinks', dtype: 'F32', shape: ['heads'], optional: true },
  ],
  output: { name: 'y', dtype: 'F32', shape: ['T', 'heads*valueDim'] },
  params: {
    heads: { kind: 'integer', min: 1 },
    kvHeads: { kind: 'integer', min: 1 },
    headDim: { kind: 'integer', min: 4, max: 1024, multipleOf: 4 },
    valueDim: { kind: 'integer', min: 4, max: 1024, multipleOf: 4, default: 'headDim' },
    scale: { kind: 'number' },
    blockTokens: { kind: 'integer', min: 1 },
    window: { kind: 'integer', min: 1, optional: true },
    chunk: { kind: 'integer', min: 1, optional: true },
    softCap: { kind: 'number', above: 0, optional: true },
    causal: { kind: 'flag', default: true },
  },
  tolerance: 1e-12,
  reference: attentionReference,
  cpu: attentionCpu,
  wgsl: attentionWgsl,
  checkDims(dims) {
    checkCells('attention', dims);
    const { heads, kvHeads, headDim, valueDim, valueRow } = dims as Record<string, number>;
    if (heads! % kvHeads!)
      throw new QuernError('op-bad-param', `attention: ${heads} heads cannot share ${kvHeads} kvHeads evenly`);
    if (valueRow !== kvHeads! * valueDim! && (valueRow !== kvHeads! * headDim! || valueDim! > headDim!))
      throw new QuernError(
        'op-bad-shape',
        `attention: vCache has rows of ${valueRow}, expected ${kvHeads! * valueDim!} for ${kvHeads} heads of ${valueDim}`,
      );
  },
  checkIndices: (indices, dims, params) =>
    checkBlocks('attention', indices, dims, visiblePositions(params, indices('seq'), indices('pos'))),
};
