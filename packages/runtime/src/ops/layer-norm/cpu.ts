import { floatWord } from '../float-word.ts';
import type { CpuCall, CpuWork } from '../op.ts';

export const layerNormCpu = ({ dims, params, input, y }: CpuCall<'layerNorm'>): CpuWork => ({
  words: [input('x'), input('weight'), input('bias'), y, dims.C!, floatWord(params.eps)],
  items: dims.N!,
  itemCost: 12 * dims.C!,
});
