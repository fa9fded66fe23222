import { floatWord } from '../float-word.ts';
import type { CpuCall, CpuWork } from '../op.ts';

export const mamba2ScanCpu = ({ dims, params, input, y }: CpuCall<'mamba2Scan'>): CpuWork => {
  const { T, S, row, heads, headDim, stateDim } = dims as Record<
    'T' | 'S' | 'row' | 'heads' | 'headDim' | 'stateDim',
    number
  >;
  const { groups, dtMin = 0, dtMax = Infinity } = params;
  const operands = ['xbc', 'dt', 'a', 'd', 'state', 'seq', 'slots'].map(input);
  return {
    words: [...operands, y, T, row, heads, headDim, stateDim, groups, floatWord(dtMin), floatWord(dtMax)],
    items: S * heads,
    itemCost: Math.ceil((6 * headDim * stateDim * T) / S),
  };
};
