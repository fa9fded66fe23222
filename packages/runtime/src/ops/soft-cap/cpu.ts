import { floatWord } from '../float-word.ts';
import type { CpuCall, CpuWork } from '../op.ts';

export const softCapCpu = ({ dims, params, input, y }: CpuCall<'softCap'>): CpuWork => ({
  words: [input('x'), y, floatWord(params.cap), dims.elements!],
  items: Math.ceil(dims.elements! / 4),
  itemCost: 128,
});
