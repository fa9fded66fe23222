import type { CpuCall, CpuWork } from '../op.ts';

export const logProbCpu = ({ dims, input, y }: CpuCall<'logProb'>): CpuWork => ({
  words: [input('logits'), input('targets'), y, dims.V!],
  items: dims.N!,
  itemCost: 32 * dims.V!,
});
