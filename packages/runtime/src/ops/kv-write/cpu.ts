import type { CpuCall, CpuWork } from '../op.ts';

export const kvWriteCpu = ({ dims, params, input, weight, y }: CpuCall<'kvWrite'>): CpuWork => {
  const { T, kvDim, maxBlocks } = dims as { T: number; kvDim: number; maxBlocks: number };
  const paging = [input('blockTable'), input('seq'), input('pos')];
  const words = [input('kv'), ...paging, y, kvDim, maxBlocks, params.blockTokens, ...weight('cache')];
  // Cost 0: one chunk, so that of two tokens for one cell the later wins on any number of threads.
  return { words, items: T, itemCost: 0 };
};
