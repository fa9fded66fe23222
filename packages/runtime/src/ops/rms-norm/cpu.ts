import { floatWord } from '../float-word.ts';
import type { CpuCall, CpuWork } from '../op.ts';

export const rmsNormCpu = ({ dims, params, input, y }: CpuCall<'rmsNorm'>): CpuWork => ({
  words: [input('x'), input('weight'), y, dims.C!, floatWord(params.eps)],
  items: dims.N!,
  itemCost: 8 * dims.C!,
});
