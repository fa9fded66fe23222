import type { CpuCall, CpuWork } from '../op.ts';

export const gatherRowsCpu = ({ dims, input, y }: CpuCall<'gatherRows'>): CpuWork => ({
  words: [input('x'), input('rows'), y, dims.C!],
  items: dims.N!,
  itemCost: 2 * dims.C!,
});
