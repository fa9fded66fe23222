import type { CpuCall, CpuWork } from '../op.ts';

export const multiplyCpu = ({ dims, input, y }: CpuCall<'multiply'>): CpuWork => {
  const { N, C, byRows, byCols } = dims as Record<'N' | 'C' | 'byRows' | 'byCols', number>;
  return { words: [input('x'), input('by'), y, C, byRows === 1 ? 0 : byCols, byCols], items: N, itemCost: 2 * C };
};
