// From the plan of a step to what the model computes.
import type { Model, OutputBatch } from '@quern/models';
import type { Share } from './scheduling/divide.ts';

/**
 * The batch of these shares. `outputRows` holds, share by share, the rows that a token is sampled from: of a sequence whose
 * tokens are all in the batch the last one, and those of its drafts.
 */
export function batchOf(
  shares: readonly Share[],
  { tableWidth, adapters }: Pick<Model, 'tableWidth' | 'adapters'>,
): OutputBatch {
  const total = shares.reduce((sum, { count, drafts }) => sum + count + drafts, 0);
  const tokens = new Int32Array(total);
  const positions = new Int32Array(total);
  const seqs = new Int32Array(total);
  const blockTable = new Int32Array(shares.length * tableWidth);
  const outputRows: number[] = [];
  let t = 0;
  for (const [s, share] of shares.entries()) {
    const { sequence, count, drafts } = share;
    blockTable.set(sequence.blocks, s * tableWidth);
    const first = sequence.computed;
    for (let i = 0; i < count + drafts; i++) {
      positions[t + i] = first + i;
      tokens[t + i] = i < count ? sequence.tokens[first + i] : sequence.drafts[i - count];
      seqs[t + i] = s;
    }
    t += count + drafts;
    if (completes(share)) for (let row = t - drafts - 1; row < t; row++) outputRows.push(row);
  }
  const slots = Int32Array.from(shares, ({ sequence }) => sequence.slot!);
  const adapterScales = new Float32Array(shares.length * adapters);
  for (const [s, { sequence }] of shares.entries())
    if (sequence.adapterScales) adapterScales.set(sequence.adapterScales, s * adapters);
  return { tokens, positions, seqs, blockTable, slots, adapterScales, outputRows: Int32Array.from(outputRows) };
}

/** Whether a token follows: all that the sequence has is in the batch. Asked before `computed` goes on. */
export const completes = ({ sequence, count }: Share): boolean => count === sequence.pending;
