import type { CpuCall, CpuWork } from '../op.ts';

export const addCpu = ({ dims, input, y }: CpuCall<'add'>): CpuWork => ({
  words: [input('a'), input('b'), y, dims.elements!],
  items: Math.ceil(dims.elements! / 4),
  itemCost: 16,
});
