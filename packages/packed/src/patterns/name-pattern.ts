// Matching the patterns that a checkpoint brings against its names. Whoever wrote the checkpoint wrote both, so nothing
// may backtrack: all states of the pattern are followed at once, a character of the name at a time.
// Source: K. Thompson, "Regular expression search algorithm", CACM 11(6), 1968.
import { QuernError } from '@quern/errors';
import { type PatternNode, parsePattern, refusePattern } from './parse.ts';

export interface NamePattern {
  readonly states: number;
  /**
   * Whether the pattern matches from the start of `name`, not necessarily to its end, like Python's re.match.
   * At most states · (length + 1) steps.
   * @throws QuernError `packed-pattern-too-costly` when `budget` is used up
   */
  matches(name: string, budget: WorkBudget): boolean;
}

/** What all patterns of a checkpoint may cost together: one step is one state at one character. */
export class WorkBudget {
  steps: number;

  constructor(steps: number = 2 ** 26) {
    this.steps = steps;
  }

  spend(): void {
    if (this.steps-- > 0) return;
    throw new QuernError('packed-pattern-too-costly', 'The patterns of config_groups take too long to match.', {
      file: 'config.json',
      remedy: 'A checkpoint needs some patterns, and names of some dozen characters.',
    });
  }
}

type State =
  | { readonly kind: 'set'; readonly has: (character: string) => boolean; readonly next: number }
  | { readonly kind: 'split'; readonly ways: number[] }
  | { readonly kind: 'start'; readonly next: number }
  | { readonly kind: 'end'; readonly next: number }
  | { readonly kind: 'match' };

const MAX_STATES = 4000;

/** @throws QuernError `packed-pattern-refused` */
export function namePattern(text: string): NamePattern {
  const states: State[] = [{ kind: 'match' }];
  const add = (state: State): number => {
    if (states.length >= MAX_STATES) refusePattern(text, `more than ${MAX_STATES} states, its counts written out`);
    return states.push(state) - 1;
  };

  /** The state where `node` begins, given the one that follows it. */
  function place(node: PatternNode, next: number): number {
    switch (node.kind) {
      case 'set':
        return add({ kind: 'set', has: node.has, next });
      case 'start':
      case 'end':
        return add({ kind: node.kind, next });
      case 'sequence':
        return node.items.reduceRight((after, item) => place(item, after), next);
      case 'either':
        return add({ kind: 'split', ways: node.items.map((item) => place(item, next)) });
      case 'repeat':
        return repeat(node, next);
    }
  }

  /** The required copies, then as many optional ones, or a loop. */
  function repeat({ item, least, most }: PatternNode & { kind: 'repeat' }, next: number): number {
    let first = next;
    if (most === Number.POSITIVE_INFINITY) {
      const ways = [next];
      first = add({ kind: 'split', ways });
      ways.push(place(item, first));
    } else {
      for (let copy = least; copy < most; copy++) first = add({ kind: 'split', ways: [next, place(item, first)] });
    }
    for (let copy = 0; copy < least; copy++) first = place(item, first);
    return first;
  }

  const begin = place(parsePattern(text), 0);
  return {
    states: states.length,
    matches: (name, budget) => follow(states, begin, [...name], budget),
  };
}

function follow(states: readonly State[], begin: number, name: readonly string[], budget: WorkBudget): boolean {
  let here = new StateList(states.length);
  let next = new StateList(states.length);
  here.add(begin);
  for (let at = 0; at <= name.length && here.count > 0; at++) {
    // Grows while it is walked.
    for (let i = 0; i < here.count; i++) {
      budget.spend();
      const state = states[here.entries[i]];
      if (state.kind === 'match') return true;
      if (state.kind === 'set') at < name.length && state.has(name[at]) && next.add(state.next);
      else if (state.kind === 'split') for (const way of state.ways) here.add(way);
      else if (at === (state.kind === 'start' ? 0 : name.length)) here.add(state.next);
    }
    [here, next] = [next, here];
    next.clear();
  }
  return false;
}

/** The states at one character, each once. */
class StateList {
  readonly entries: Int32Array;
  count = 0;
  /** Round in which a state was added last. */
  private readonly added: Int32Array;
  private round = 1;

  constructor(states: number) {
    this.entries = new Int32Array(states);
    this.added = new Int32Array(states);
  }

  add(state: number): void {
    if (this.added[state] === this.round) return;
    this.added[state] = this.round;
    this.entries[this.count++] = state;
  }

  clear(): void {
    this.count = 0;
    this.round++;
  }
}
