import type { CpuCall, CpuWork } from '../op.ts';

export const embedCpu = ({ dims, input, weight, y }: CpuCall<'embed'>): CpuWork => ({
  words: [input('table'), input('ids'), y, dims.C!, ...weight('table')],
  items: dims.T!,
  itemCost: 4 * dims.C!,
});
