// Where in an automaton a set of nodes stands: the same in every grammar that holds the automaton.
import { kindAt } from './packed.ts';
import type { Program } from './program.ts';

export interface Place {
  /** The automaton's. */
  readonly id: string;
  readonly states: string;
}

/** Null: not in one automaton alone. `members` ascend. */
export function placeOf(program: Program, members: readonly number[]): Place | null {
  const { automata } = program;
  const last = members.at(-1)!;
  let low = 0;
  for (let high = automata.length - 1; low < high; ) {
    const middle = (low + high + 1) >>> 1;
    if (automata[middle]!.first <= last) low = middle;
    else high = middle - 1;
  }
  const found = automata[low];
  if (!found || last < found.first || last >= found.first + found.count) return null;
  const { id, first } = found;
  // Where a state is final, the end of the rule stands beside it.
  const isOwn = (member: number): boolean => member >= first || kindAt(program, member) === 'end';
  if (!members.every(isOwn)) return null;
  return { id, states: members.map((member) => (member >= first ? member - first : 'end')).join() };
}
