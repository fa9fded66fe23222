// A tree as a nondeterministic automaton (Thompson), and made deterministic. What an assertion asks of its neighbours is
// decided when the next character is known: a state remembers what the character before it was.
import { allCharacters, type CodePointSet, contains } from '../characters/code-point-set.ts';
import { spend } from '../work.ts';
import { type CharacterAutomaton, maxStates, partition, trimmed } from './automaton.ts';
import { wordCharacters } from './character-classes.ts';
import { type Assertion, RegexError, type RegexNode } from './node.ts';

type Node =
  | { readonly kind: 'set'; readonly set: CodePointSet; readonly next: number }
  | { readonly kind: 'split'; next: readonly number[] }
  | { readonly kind: 'assertion'; readonly asserts: Assertion; readonly next: number }
  | { readonly kind: 'final' };

type Neighbour = 'edge' | 'word' | 'other';

const maxNodes = 50_000;
/** Nodes looked at in all while an automaton is made deterministic. */
const maxVisits = 1_000_000;

/** Laid from the end to the start: each part is told the node behind it. */
export class Thompson {
  readonly #nodes: Node[] = [];
  #visits = 0;
  /** Nothing may follow. */
  readonly end: number;
  /** Anything may follow. */
  readonly anything: number;

  constructor() {
    this.end = this.#add({ kind: 'final' });
    this.anything = this.repeatedly(allCharacters, this.end);
  }

  repeatedly(set: CodePointSet, next: number): number {
    const split = this.#add({ kind: 'split', next: [] });
    const again = this.#add({ kind: 'set', set, next: split });
    this.#nodes[split] = { kind: 'split', next: [again, next] };
    return split;
  }

  /** @throws RegexError for a lookahead, which a machine that reads once cannot follow */
  lay(node: RegexNode, next: number): number {
    switch (node.kind) {
      case 'set':
        return this.#add({ ...node, next });
      case 'assertion':
        return this.#add({ ...node, next });
      case 'sequence':
        return node.items.reduceRight((behind, item) => this.lay(item, behind), next);
      case 'choice':
        return this.either(node.options.map((option) => this.lay(option, next)));
      case 'repeat':
        return this.#repeat(node, next);
      case 'lookahead':
        throw new RegexError('lookahead inside a group or a repetition cannot be enforced');
    }
  }

  either(starts: readonly number[]): number {
    return this.#add({ kind: 'split', next: starts });
  }

  /** Everything that `automaton` accepts, to the end of the text. */
  embed({ classes, states }: CharacterAutomaton): number {
    const entries = states.map(() => this.#add({ kind: 'split', next: [] }));
    for (const [state, { next, final }] of states.entries()) {
      const reading = next.flatMap((after, c) =>
        after < 0 ? [] : [this.#add({ kind: 'set', set: classes[c]!, next: entries[after]! })],
      );
      this.#nodes[entries[state]!] = { kind: 'split', next: final ? [...reading, this.end] : reading };
    }
    return entries[0]!;
  }

  #repeat({ item, min, max }: Extract<RegexNode, { kind: 'repeat' }>, next: number): number {
    let behind = next;
    if (max === Number.POSITIVE_INFINITY) {
      const split = this.#add({ kind: 'split', next: [] });
      this.#nodes[split] = { kind: 'split', next: [this.lay(item, split), next] };
      behind = split;
    } else for (let i = min; i < max; i++) behind = this.#add({ kind: 'split', next: [this.lay(item, behind), next] });
    for (let i = 0; i < min; i++) behind = this.lay(item, behind);
    return behind;
  }

  #add(node: Node): number {
    if (this.#nodes.length >= maxNodes) throw new RegexError(`its repetitions make more than ${maxNodes} parts`);
    return this.#nodes.push(node) - 1;
  }

  /** @throws RegexError when it needs too many states */
  determinize(start: number): CharacterAutomaton {
    const sets = this.#nodes.flatMap((node) => (node.kind === 'set' ? [node.set] : []));
    const words = this.#nodes.some((node) => node.kind === 'assertion' && node.asserts.endsWith('oundary'));
    const classes = partition(words ? [...sets, wordCharacters] : sets);
    const kinds = classes.map(([first]): Neighbour => (words && contains(wordCharacters, first!) ? 'word' : 'other'));
    const held = this.#classesOf(classes);
    const kernels: { nodes: readonly number[]; before: Neighbour }[] = [{ nodes: [start], before: 'edge' }];
    const known = new Map<string, number>([[`${start}edge`, 0]]);
    const states: { next: number[]; final: boolean }[] = [];
    for (let i = 0; i < kernels.length; i++) {
      const { nodes, before } = kernels[i]!;
      spend(classes.length, 'patterns, formats and bounds of numbers');
      const targets = new Map<number, number[]>();
      for (const after of words ? (['word', 'other'] as const) : (['other'] as const))
        for (const id of this.#closure(nodes, before, after)) {
          const node = this.#nodes[id]!;
          if (node.kind !== 'set') continue;
          const reading = held.get(node.set)!;
          spend(reading.length, 'patterns, formats and bounds of numbers');
          for (const c of reading) {
            if (kinds[c] !== after) continue;
            const of = targets.get(c);
            if (of) of.push(node.next);
            else targets.set(c, [node.next]);
          }
        }
      const next = classes.map((_, c) => {
        const reached = this.#distinct(targets.get(c) ?? []);
        if (reached.length === 0) return -1;
        const key = `${reached}${kinds[c]}`;
        let state = known.get(key);
        if (state === undefined) {
          state = kernels.push({ nodes: reached, before: kinds[c]! }) - 1;
          if (state >= maxStates) throw new RegexError(`it needs more than ${maxStates} states`);
          known.set(key, state);
        }
        return state;
      });
      states.push({ next, final: this.#closure(nodes, before, 'edge').includes(this.end) });
    }
    return trimmed({ classes, states });
  }

  /** For each set, which classes it holds. */
  #classesOf(classes: readonly CodePointSet[]): Map<CodePointSet, readonly number[]> {
    const held = new Map<CodePointSet, readonly number[]>();
    for (const node of this.#nodes) {
      if (node.kind !== 'set' || held.has(node.set)) continue;
      held.set(
        node.set,
        classes.flatMap(([first], c) => (contains(node.set, first!) ? [c] : [])),
      );
    }
    return held;
  }

  #distinct(targets: readonly number[]): readonly number[] {
    // Where anything may follow, nothing else matters.
    if (targets.includes(this.anything)) return [this.anything];
    return targets.length < 2 ? targets : [...new Set(targets)].sort((a, b) => a - b);
  }

  #closure(nodes: readonly number[], before: Neighbour, after: Neighbour): number[] {
    const found: number[] = [];
    const seen = new Set<number>();
    const pending = [...nodes];
    for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
      if (seen.has(id)) continue;
      seen.add(id);
      spend(1, 'patterns, formats and bounds of numbers');
      if (++this.#visits > maxVisits) throw new RegexError('it takes too many states');
      const node = this.#nodes[id]!;
      if (node.kind === 'split') pending.push(...node.next);
      else if (node.kind !== 'assertion') found.push(id);
      else if (holds(node.asserts, before, after)) pending.push(node.next);
    }
    return found;
  }
}

function holds(assertion: Assertion, before: Neighbour, after: Neighbour): boolean {
  if (assertion === 'start') return before === 'edge';
  if (assertion === 'end') return after === 'edge';
  return ((before === 'word') !== (after === 'word')) === (assertion === 'wordBoundary');
}
