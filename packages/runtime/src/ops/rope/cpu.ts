import type { CpuCall, CpuWork } from '../op.ts';

export const ropeCpu = ({ dims, params, input, y }: CpuCall<'rope'>): CpuWork => {
  const { heads, headDim, rotaryDim, style } = params;
  return {
    words: [input('x'), input('cos'), input('sin'), y, heads, headDim, rotaryDim, style === 'neox' ? 1 : 0],
    items: dims.T! * heads,
    itemCost: 8 * headDim,
  };
};
