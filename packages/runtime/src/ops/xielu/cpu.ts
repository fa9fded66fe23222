import { floatWord } from '../float-word.ts';
import type { CpuCall, CpuWork } from '../op.ts';

export const xieluCpu = ({ dims, params, input, y }: CpuCall<'xielu'>): CpuWork => {
  const { alphaP, alphaN, beta, eps } = params;
  return {
    words: [input('x'), y, dims.elements!, ...[alphaP, alphaN, beta, eps].map(floatWord)],
    items: Math.ceil(dims.elements! / 4),
    itemCost: 128,
  };
};
