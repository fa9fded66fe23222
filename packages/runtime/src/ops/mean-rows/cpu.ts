import type { CpuCall, CpuWork } from '../op.ts';

export const meanRowsCpu = ({ dims, input, y }: CpuCall<'meanRows'>): CpuWork => {
  const { T, S, C } = dims as Record<'T' | 'S' | 'C', number>;
  return { words: [input('x'), input('seq'), y, T, C], items: S, itemCost: 2 * C * Math.ceil(T / S) };
};
