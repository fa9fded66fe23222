import type { CpuCall, CpuWork } from '../op.ts';

export const topKCpu = ({ dims, params, input, y }: CpuCall<'topK'>): CpuWork => ({
  words: [input('x'), y, dims.C!, params.count],
  items: dims.N!,
  itemCost: 4 * dims.C!,
});
