// Ops with a state for each sequence: token t is of sequence seq[t], whose state is slots[seq[t]] of the state tensor, and the
// tokens of a sequence stand in the batch in the order of its text. The state is read and written in place; whoever owns
// it begins a sequence with zeros. Sequences without a token in the batch keep theirs.
import { QuernError } from '@quern/errors';
import type { Indices, Operand } from './op.ts';

export const sequenceOperands: readonly Operand[] = [
  { name: 'seq', dtype: 'I32', shape: ['T'], below: 'S' },
  { name: 'slots', dtype: 'I32', shape: ['S'], below: 'slots' },
];

/** No two sequences of the batch may write to one state. @throws QuernError `op-index-out-of-range` */
export function checkSlotsOfSequences(op: string, indices: Indices): void {
  const [seq, slots] = [indices('seq'), indices('slots')];
  const owners = new Map<number, number>();
  for (const s of seq) {
    const slot = slots[s]!;
    const owner = owners.get(slot) ?? s;
    if (owner !== s)
      throw new QuernError('op-index-out-of-range', `${op}: sequences ${owner} and ${s} share slot ${slot}`);
    owners.set(slot, s);
  }
}
