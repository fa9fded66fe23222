// Keys and values behind a window are never read again, so a layer with a window needs no row for every position. Where
// that takes less memory, each slot has a ring of blocks, and position p of its sequence lies in
//   block  slot · ring + ⌊p / blockTokens⌋ mod ring
// A ring holds what the first token of a batch can see and all that the batch writes before it is read.
import type { BatchLimits } from '../batch-limits.ts';

/** Blocks of a slot's ring; undefined where the blocks of the sequences are used, as without a window. */
export function ringBlocks(window: number | undefined, limits: BatchLimits): number | undefined {
  if (window === undefined) return undefined;
  const { batchTokens, blockTokens, slots, blocks } = limits;
  const ring = Math.ceil((window - 1 + batchTokens) / blockTokens) + 1;
  return ring * slots < blocks ? ring : undefined;
}

/** The block table [S, tableWidth] of sequences in these slots. */
export function ringTable(ring: number, slots: Int32Array, tableWidth: number): Int32Array {
  const table = new Int32Array(slots.length * tableWidth);
  for (const [s, slot] of slots.entries())
    for (let block = 0; block < tableWidth; block++) table[s * tableWidth + block] = slot * ring + (block % ring);
  return table;
}
