import { floatWord } from '../float-word.ts';
import type { CpuCall, CpuWork } from '../op.ts';

/** Columns of the state of an item: a cache line. */
const ITEM_COLUMNS = 16;

export const gatedDeltaRuleCpu = ({ dims, params, input, y }: CpuCall<'gatedDeltaRule'>): CpuWork => {
  const { T, S, row, heads, kDim, vDim, decays } = dims as Record<string, number> & Record<'T' | 'S', number>;
  const operands = ['qkv', 'decay', 'beta', 'state', 'seq', 'slots'].map(input);
  const sizes = [T, row!, heads!, params.kHeads, kDim!, vDim!, decays! / heads!];
  return {
    words: [...operands, y, ...sizes, floatWord(params.scale), floatWord(params.normEps), params.neighbours ?? 1],
    items: S * heads! * Math.ceil(vDim! / ITEM_COLUMNS),
    itemCost: Math.ceil((8 * ITEM_COLUMNS * kDim! * T) / S),
  };
};
