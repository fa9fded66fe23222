import type { CpuCall, CpuWork } from '../op.ts';

export const columnsCpu = ({ dims, params, input, y }: CpuCall<'columns'>): CpuWork => {
  const { N, C, W } = dims as Record<'N' | 'C' | 'W', number>;
  return { kernel: 'moveColumns', words: [input('x') + 4 * params.first, C, y, W, W, 1], items: N, itemCost: 2 * W };
};
