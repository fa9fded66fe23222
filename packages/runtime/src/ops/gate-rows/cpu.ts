import type { CpuCall, CpuWork } from '../op.ts';

export const gateRowsCpu = ({ dims, input, y }: CpuCall<'gateRows'>): CpuWork => ({
  words: [input('x'), input('gate'), y, dims.C!],
  items: dims.N!,
  itemCost: 2 * dims.C!,
});
