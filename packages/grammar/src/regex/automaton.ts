// Deterministic automata over characters, and what makes new ones of them: intersection, difference, complement.
// The alphabet of each is cut into classes of characters that it does not tell apart.
import { allCharacters, type CodePointSet, contains, rangesOf } from '../characters/code-point-set.ts';
import { spend } from '../work.ts';
import { RegexError } from './node.ts';

export const maxStates = 20_000;

export interface CharacterAutomaton {
  /** Disjoint; together all characters. */
  readonly classes: readonly CodePointSet[];
  /** State 0 is the start. `next` by class; -1: nothing matches any more. */
  readonly states: readonly { readonly next: readonly number[]; readonly final: boolean }[];
}

/** Characters cut so that each set is a union of classes. */
export function partition(sets: Iterable<CodePointSet>): CodePointSet[] {
  const distinct = [...new Set(sets)];
  const edges = new Set<number>([0, 0xe000]);
  for (const set of distinct)
    for (const [first, last] of rangesOf(set)) {
      edges.add(first);
      edges.add(last + 1);
    }
  edges.delete(0xd800);
  edges.delete(0x110000);
  const starts = [...edges].sort((a, b) => a - b);
  spend(starts.length * distinct.length, 'patterns, formats and bounds of numbers');
  const classes = new Map<string, number[]>();
  for (const [i, start] of starts.entries()) {
    const signature = distinct.map((set) => (contains(set, start) ? 1 : 0)).join('');
    const next = starts[i + 1] ?? 0x110000;
    const ranges = classes.get(signature) ?? [];
    classes.set(signature, ranges);
    const last = Math.min(next, start < 0xd800 ? 0xd800 : next) - 1;
    if (ranges.length > 0 && ranges.at(-1) === start - 1) ranges[ranges.length - 1] = last;
    else ranges.push(start, last);
  }
  return [...classes.values()];
}

/** Runs both at once; a pair is final where `final` says so, and lives where `lives` says so. */
function product(
  a: CharacterAutomaton,
  b: CharacterAutomaton,
  final: (a: boolean, b: boolean) => boolean,
  lives: (a: boolean, b: boolean) => boolean,
): CharacterAutomaton {
  const classes = partition([...a.classes, ...b.classes]);
  const classIn = ({ classes: own }: CharacterAutomaton): number[] =>
    classes.map(([character]) => own.findIndex((set) => contains(set, character!)));
  const inA = classIn(a);
  const inB = classIn(b);
  const pairs: [number, number][] = [[0, 0]];
  const known = new Map<string, number>([['0,0', 0]]);
  const states: { next: number[]; final: boolean }[] = [];
  for (let i = 0; i < pairs.length; i++) {
    spend(classes.length, 'patterns, formats and bounds of numbers');
    const [stateA, stateB] = pairs[i]!;
    const next = classes.map((_, c) => {
      const afterA = stateA < 0 ? -1 : a.states[stateA]!.next[inA[c]!]!;
      const afterB = stateB < 0 ? -1 : b.states[stateB]!.next[inB[c]!]!;
      if (!lives(afterA >= 0, afterB >= 0)) return -1;
      const key = `${afterA},${afterB}`;
      let state = known.get(key);
      if (state === undefined) {
        state = pairs.push([afterA, afterB]) - 1;
        if (state >= maxStates) throw new RegexError(`it needs more than ${maxStates} states`);
        known.set(key, state);
      }
      return state;
    });
    states.push({ next, final: final(a.states[stateA]?.final ?? false, b.states[stateB]?.final ?? false) });
  }
  return trimmed({ classes, states });
}

export const intersectionOf = (a: CharacterAutomaton, b: CharacterAutomaton): CharacterAutomaton =>
  product(
    a,
    b,
    (x, y) => x && y,
    (x, y) => x && y,
  );
/** What `a` accepts and `b` does not. */
export const differenceOf = (a: CharacterAutomaton, b: CharacterAutomaton): CharacterAutomaton =>
  product(
    a,
    b,
    (x, y) => x && !y,
    (x) => x,
  );
export const complementOf = (a: CharacterAutomaton): CharacterAutomaton => differenceOf(anyText, a);
export const anyText: CharacterAutomaton = { classes: [allCharacters], states: [{ next: [0], final: true }] };
/** State 0 stays, even if nothing is accepted. */
export const acceptsNothing = ({ states }: CharacterAutomaton): boolean => !states.some(({ final }) => final);

export function acceptsText({ classes, states }: CharacterAutomaton, text: string): boolean {
  let state = 0;
  for (const character of text) {
    const codePoint = character.codePointAt(0)!;
    state = states[state]!.next[classes.findIndex((set) => contains(set, codePoint))] ?? -1;
    if (state < 0) return false;
  }
  return states[state]!.final;
}

/** Exactly these texts. */
export function textsAutomaton(texts: readonly string[]): CharacterAutomaton {
  const characters = [...new Set(texts.flatMap((text) => [...text]))].map((character) => character.codePointAt(0)!);
  const classes = partition(characters.map((codePoint) => [codePoint, codePoint]));
  const classOf = new Map(
    classes.flatMap((set, c) => (set[0] === set[1] && set.length === 2 ? [[set[0]!, c] as const] : [])),
  );
  const states: { next: number[]; final: boolean }[] = [];
  const add = (): number => states.push({ next: classes.map(() => -1), final: false }) - 1;
  add();
  for (const text of texts) {
    let state = 0;
    spend(text.length * classes.length, 'patterns, formats and bounds of numbers');
    for (const character of text) {
      const { next } = states[state]!;
      const c = classOf.get(character.codePointAt(0)!);
      if (c === undefined) {
        state = -1; // a lone surrogate, which no UTF-8 can say
        break;
      }
      if (next[c]! < 0) next[c] = add();
      state = next[c]!;
    }
    if (state >= 0) states[state]!.final = true;
  }
  return trimmed({ classes, states });
}

/** Without states from which nothing is accepted. */
export function trimmed({ classes, states }: CharacterAutomaton): CharacterAutomaton {
  const before: number[][] = states.map(() => []);
  states.forEach(({ next }, state) => {
    for (const after of new Set(next)) if (after >= 0) before[after]!.push(state);
  });
  const alive = new Uint8Array(states.length);
  const queue = states.flatMap(({ final }, state) => (final ? [state] : []));
  for (let state = queue.pop(); state !== undefined; state = queue.pop()) {
    if (alive[state] === 1) continue;
    alive[state] = 1;
    queue.push(...before[state]!);
  }
  alive[0] = 1;
  const places = new Map<number, number>();
  for (let state = 0; state < states.length; state++) if (alive[state] === 1) places.set(state, places.size);
  const kept = states.filter((_, state) => alive[state] === 1);
  return {
    classes,
    states: kept.map(({ next, final }) => ({ next: next.map((after) => places.get(after) ?? -1), final })),
  };
}
