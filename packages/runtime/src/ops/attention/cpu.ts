import { floatWord } from '../float-word.ts';
import type { CpuCall, CpuWork } from '../op.ts';

/** Window word for "no window". */
const WHOLE_CONTEXT = 0xffffffff;

export const attentionCpu = ({ dims, params, input, y }: CpuCall<'attention'>): CpuWork => {
  const { T, maxBlocks } = dims as { T: number; maxBlocks: number };
  const { heads, kvHeads, headDim, blockTokens, window = WHOLE_CONTEXT, scale } = params;
  const operands = ['q', 'kCache', 'vCache', 'blockTable', 'seq', 'pos'].map(input);
  const sizes = [heads, kvHeads, headDim, maxBlocks, blockTokens, Math.min(window, WHOLE_CONTEXT)];
  // The cost depends on positions that only the kernel looks at: assume 64 of them.
  return { words: [...operands, y, ...sizes, floatWord(scale)], items: T * heads, itemCost: 4 * 64 * headDim };
};
