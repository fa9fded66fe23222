import type { CpuCall, CpuWork } from '../op.ts';

/** Rows of words, like any other: the kernel of gatherRows. */
export const pickExpertsCpu = ({ dims, input, y }: CpuCall<'pickExperts'>): CpuWork => ({
  kernel: 'gatherRows',
  words: [input('table'), input('tokens'), y, dims.used!],
  items: dims.T!,
  itemCost: 0,
});
