import type { CpuCall, CpuWork } from '../op.ts';
import { scoreNames, scoreNumber } from '../router-scores.ts';

export const routeCpu = ({ dims, params, input, y }: CpuCall<'route'>): CpuWork => {
  const { used, score = 'logits', groups = 1, groupsUsed = groups, groupBy = 'two' } = params;
  const kind = score === 'logits' ? scoreNames.length : scoreNumber(score);
  return {
    words: [input('logits'), input('bias'), y, dims.E!, used, kind, groups, groupsUsed, groupBy === 'two' ? 1 : 0],
    items: dims.T!,
    itemCost: 4 * dims.E! * used,
  };
};
