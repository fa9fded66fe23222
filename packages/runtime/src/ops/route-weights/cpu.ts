import type { CpuCall, CpuWork } from '../op.ts';

export const routeWeightsCpu = ({ dims, params, input, y }: CpuCall<'routeWeights'>): CpuWork => ({
  words: [input('logits'), input('ids'), y, dims.E!, dims.used!, params.over === 'all' ? 1 : 0],
  items: dims.T!,
  itemCost: 32 * dims.E!,
});
