import type { CpuCall, CpuWork } from '../op.ts';

export const putColumnsCpu = ({ dims, params, input, y }: CpuCall<'putColumns'>): CpuWork => {
  const { M, N, C, W } = dims as Record<'M' | 'N' | 'C' | 'W', number>;
  return {
    kernel: 'moveColumns',
    words: [input('x'), W, y + 4 * params.first, C, W, N / M],
    items: N,
    itemCost: 2 * W,
  };
};
