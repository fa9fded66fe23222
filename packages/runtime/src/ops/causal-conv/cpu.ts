import type { CpuCall, CpuWork } from '../op.ts';

/** Channels of an item: a cache line. */
const ITEM_CHANNELS = 16;

export const causalConvCpu = ({ dims, params, input, y }: CpuCall<'causalConv'>): CpuWork => {
  const { T, S, C, K } = dims as Record<'T' | 'S' | 'C' | 'K', number>;
  const operands = ['x', 'weight', 'state', 'seq', 'slots', 'bias'].map(input);
  return {
    words: [...operands, y, T, C, K, params.act === 'silu' ? 1 : 0],
    items: S * Math.ceil(C / ITEM_CHANNELS),
    itemCost: Math.ceil((ITEM_CHANNELS * T * (2 * K + 16)) / S),
  };
};
