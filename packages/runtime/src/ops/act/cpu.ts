import { actNumber } from '../acts.ts';
import type { CpuCall, CpuWork } from '../op.ts';

export const actCpu = ({ dims, params, input, y }: CpuCall<'act'>): CpuWork => ({
  words: [input('x'), y, actNumber(params.act), dims.elements!],
  items: Math.ceil(dims.elements! / 4),
  itemCost: 128,
});
