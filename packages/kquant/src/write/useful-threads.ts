// How many threads a plan can keep busy. Each takes some 30 ms and 12 MiB to start: on a machine of many cores a small
// model, or one that is only copied (the disk decides then), is written sooner with few.
import { availableParallelism } from 'node:os';
import type { Plan } from '../plan/plan.ts';

/** Input that is worth one thread more. */
const bytesPerThread = 4 * 2 ** 20;
/** While one piece is read another is looked through and a third is written. */
const copyingThreads = 4;

export function usefulThreads(plans: readonly Plan[], available = availableParallelism()): number {
  let [coded, copied] = [0, 0];
  for (const { from, to, rows, cols } of plans.flatMap(({ tensors }) => tensors)) {
    const bytes = (rows * cols * from.typeSize) / from.blockSize;
    if (from === to) copied += bytes;
    else coded += bytes;
  }
  const useful = Math.ceil(coded / bytesPerThread) + Math.min(copyingThreads, Math.ceil(copied / bytesPerThread));
  return Math.max(1, Math.min(available, useful));
}
