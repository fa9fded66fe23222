import type { CpuCall, CpuWork } from '../op.ts';

export const addExpertBiasCpu = ({ dims, input, y }: CpuCall<'addExpertBias'>): CpuWork => ({
  words: [input('x'), input('bias'), input('ids'), y, dims.R!],
  items: dims.N!,
  itemCost: 2 * dims.R!,
});
