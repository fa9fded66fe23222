import type { CpuCall, CpuWork } from '../op.ts';

export const gatedActCpu = ({ dims, params, input, y }: CpuCall<'gatedAct'>): CpuWork => ({
  words: [input('gate'), input('up'), y, params.act === 'gelu' ? 1 : 0, dims.elements!],
  items: Math.ceil(dims.elements! / 4),
  itemCost: 128,
});
