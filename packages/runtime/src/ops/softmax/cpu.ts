import type { CpuCall, CpuWork } from '../op.ts';

export const softmaxCpu = ({ dims, input, y }: CpuCall<'softmax'>): CpuWork => ({
  words: [input('x'), y, dims.C!],
  items: dims.N!,
  itemCost: 32 * dims.C!,
});
