import { floatWord } from '../float-word.ts';
import type { CpuCall, CpuWork } from '../op.ts';

export const scaleCpu = ({ dims, params, input, y }: CpuCall<'scale'>): CpuWork => ({
  words: [input('x'), y, floatWord(params.factor), dims.elements!],
  items: Math.ceil(dims.elements! / 4),
  itemCost: 16,
});
