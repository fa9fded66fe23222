import type { CpuCall, CpuWork } from '../op.ts';

/** Columns of one item: a cache line, so that no two threads write to the same one. */
const itemColumns = 16;

export const sumSquaresCpu = ({ dims, input, y }: CpuCall<'sumSquares'>): CpuWork => ({
  words: [input('x'), y, dims.T!, dims.C!],
  items: Math.ceil(dims.C! / itemColumns),
  itemCost: 2 * itemColumns * dims.T!,
});
