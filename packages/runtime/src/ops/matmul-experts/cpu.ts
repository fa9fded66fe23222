import { PANEL_ROWS } from '../matmul/cpu.ts';
import type { CpuCall, CpuWork } from '../op.ts';

export const matmulExpertsCpu = ({ dims, input, weight, y }: CpuCall<'matmulExperts'>): CpuWork => {
  const { N, C, E, R, T, used } = dims as Record<'N' | 'C' | 'E' | 'R' | 'T' | 'used', number>;
  const slots = T * used;
  return {
    words: [input('x'), y, input('ids'), slots, slots / N, R, input('w'), 0, C, ...weight('w')],
    items: E * Math.ceil(R / PANEL_ROWS),
    // As if the experts shared the tokens evenly.
    itemCost: Math.ceil((2 * PANEL_ROWS * slots * C) / E),
  };
};
