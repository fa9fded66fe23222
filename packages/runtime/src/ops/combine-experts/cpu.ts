import type { CpuCall, CpuWork } from '../op.ts';

export const combineExpertsCpu = ({ dims, input, y }: CpuCall<'combineExperts'>): CpuWork => ({
  words: [input('weights'), input('x'), y, dims.used!, dims.C!],
  items: dims.T!,
  itemCost: 2 * dims.used! * dims.C!,
});
