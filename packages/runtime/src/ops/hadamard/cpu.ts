import { floatWord } from '../float-word.ts';
import type { CpuCall, CpuWork } from '../op.ts';

export const hadamardCpu = ({ dims, params: { size }, input, y }: CpuCall<'hadamard'>): CpuWork => ({
  words: [input('x'), y, size, floatWord(1 / Math.sqrt(size))],
  items: (dims.N! * dims.C!) / size,
  itemCost: size * (Math.log2(size) + 2),
});
