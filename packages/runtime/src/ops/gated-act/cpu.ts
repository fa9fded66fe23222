import { actNumber } from '../acts.ts';
import { floatWord } from '../float-word.ts';
import type { CpuCall, CpuWork } from '../op.ts';

export const gatedActCpu = ({ dims, params, input, y }: CpuCall<'gatedAct'>): CpuWork => {
  const { act, limit = Infinity, alpha = 1, offset = 0 } = params;
  const numbers = [limit, alpha, offset].map(floatWord);
  return {
    words: [input('gate'), input('up'), y, actNumber(act), dims.elements!, ...numbers],
    items: Math.ceil(dims.elements! / 4),
    itemCost: 128,
  };
};
