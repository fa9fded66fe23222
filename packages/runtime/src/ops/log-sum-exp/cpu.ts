import type { CpuCall, CpuWork } from '../op.ts';

export const logSumExpCpu = ({ dims, input, y }: CpuCall<'logSumExp'>): CpuWork => ({
  words: [input('x'), y, dims.C!],
  items: dims.N!,
  itemCost: 32 * dims.C!,
});
