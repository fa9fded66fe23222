import { floatWord } from '../float-word.ts';
import type { CpuCall, CpuWork } from '../op.ts';
import { scoreNumber } from '../router-scores.ts';

export const routeWeightsCpu = ({ dims, params, input, y }: CpuCall<'routeWeights'>): CpuWork => {
  const { over, score = 'softmax', scale = 1 } = params;
  const operands = ['logits', 'ids', 'expertScale'].map(input);
  return {
    words: [...operands, y, dims.E!, dims.used!, over === 'all' ? 1 : 0, scoreNumber(score), floatWord(scale)],
    items: dims.T!,
    itemCost: 32 * dims.E!,
  };
};
