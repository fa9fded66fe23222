import { floatWord } from '../float-word.ts';
import type { CpuCall, CpuWork } from '../op.ts';

export const rmsNormCpu = ({ dims, params, input, y }: CpuCall<'rmsNorm'>): CpuWork => {
  const { N, C } = dims as { N: number; C: number };
  const { eps, groups = 1 } = params;
  return {
    words: [input('x'), input('weight'), y, C / groups, floatWord(eps), groups],
    items: N * groups,
    itemCost: (8 * C) / groups,
  };
};
