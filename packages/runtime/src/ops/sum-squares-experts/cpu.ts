import type { CpuCall, CpuWork } from '../op.ts';

/** Columns of one item: a cache line, so that no two threads write to the same one. */
const itemColumns = 16;

export const sumSquaresExpertsCpu = ({ dims, input, y }: CpuCall<'sumSquaresExperts'>): CpuWork => {
  const { N, C, T, used } = dims as { N: number; C: number; T: number; used: number };
  const slots = T * used;
  return {
    words: [input('x'), input('ids'), y, slots, slots / N, C],
    items: Math.ceil(C / itemColumns),
    itemCost: 2 * itemColumns * slots,
  };
};
