// Who reads how much of his prompt in a step. Prompts that are read side by side are all ready at the end, so those of about one
// length are read in turn. A long one does not keep shorter ones waiting that came later: these overtake it, and it gets meanwhile what
// an even division would give it.
import type { Sequence } from './sequence.ts';

/**
 * @param readers in turn
 * @param room tokens; at least one for each reader, or none at all
 * @returns tokens of each, which fill the room as far as the prompts do
 */
export function readingTurns(readers: readonly Sequence[], room: number): Map<Sequence, number> {
  const counts = new Map(readers.map((sequence) => [sequence, 0]));
  let left = room;
  const give = (sequence: Sequence, most: number): void => {
    const has = counts.get(sequence)!;
    const end = Math.min(sequence.pending, sequence.nextCheckpoint - sequence.computed);
    const more = Math.min(end - has, most, left);
    counts.set(sequence, has + more);
    left -= more;
  };
  const even = Math.floor(room / readers.length);
  for (const sequence of overtaken(readers)) give(sequence, even);
  for (const sequence of readers.toSorted((a, b) => lengthClass(a) - lengthClass(b))) give(sequence, left);
  return counts;
}

/** Prompts of one class differ by less than a factor of two in what is left of them. */
const lengthClass = ({ pending }: Sequence): number => Math.floor(Math.log2(pending));

/** Those behind whom, in turn, there is one of a shorter class. */
function overtaken(readers: readonly Sequence[]): Sequence[] {
  let shortest = Number.POSITIVE_INFINITY;
  const found = readers.toReversed().filter((sequence) => {
    const length = lengthClass(sequence);
    const isOvertaken = shortest < length;
    shortest = Math.min(shortest, length);
    return isOvertaken;
  });
  return found.reverse();
}
