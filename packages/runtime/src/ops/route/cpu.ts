import type { CpuCall, CpuWork } from '../op.ts';

export const routeCpu = ({ dims, params, input, y }: CpuCall<'route'>): CpuWork => ({
  words: [input('logits'), y, dims.E!, params.used],
  items: dims.T!,
  itemCost: 4 * dims.E! * params.used,
});
