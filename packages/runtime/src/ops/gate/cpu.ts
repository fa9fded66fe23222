import { actNumber } from '../acts.ts';
import type { CpuCall, CpuWork } from '../op.ts';

export const gateCpu = ({ dims, params, input, y }: CpuCall<'gate'>): CpuWork => {
  const { N, C, G } = dims as Record<'N' | 'C' | 'G', number>;
  return {
    words: [input('x'), input('gate'), y, C / G, G, actNumber(params.act)],
    items: N,
    itemCost: 2 * C + 32 * G,
  };
};
