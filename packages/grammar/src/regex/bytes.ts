// An automaton over characters as one over bytes: plain UTF-8, or the inside of a JSON string with its closing quote, where a
// character is written as JSON.stringify writes it.
import { difference, intersection, setOf, setOfRanges } from '../characters/code-point-set.ts';
import { type ByteRanges, utf8Ranges } from '../characters/utf8.ts';
import type { ByteAutomaton } from '../expression.ts';
import type { Measure } from '../machine/program.ts';
import { Kept, spend } from '../work.ts';
import type { CharacterAutomaton } from './automaton.ts';

interface State {
  readonly edges: (readonly [number, number, number])[];
  final: boolean;
  readonly measure: Measure;
}

export const utf8Automaton = (automaton: CharacterAutomaton): ByteAutomaton => bytesOf(automaton, false);
/** One for each automaton, as of `jsonStringAutomaton`. */
export const bareTextAutomaton = (automaton: CharacterAutomaton): ByteAutomaton =>
  bareTexts.of(automaton, () => bytesOf(automaton, false));
const bareTexts = new Kept<CharacterAutomaton, ByteAutomaton>('patterns, formats and bounds of numbers');
/** One for each automaton: equal texts at many places then share what is found out about them. */
export const jsonStringAutomaton = (automaton: CharacterAutomaton): ByteAutomaton =>
  jsonStrings.of(automaton, () => bytesOf(automaton, true));
const jsonStrings = new Kept<CharacterAutomaton, ByteAutomaton>('patterns, formats and bounds of numbers');

function bytesOf(automaton: CharacterAutomaton, json: boolean): ByteAutomaton {
  const lengths = remainingLengths(automaton);
  const states: State[] = automaton.states.map(({ final }, i) => ({
    edges: [],
    final: final && !json,
    measure: { boundary: true, ...lengths[i]! },
  }));
  const endings = new Endings();
  const tails = new Map<number, number>();
  const tail = (ending: number, target: number): number => {
    if (ending < 0) return target;
    const key = ending * 2 ** 26 + target;
    let state = tails.get(key);
    if (state === undefined) {
      spend(stepsOfState, 'patterns, formats and bounds of numbers');
      const { low, high, rest } = endings.known[ending]!;
      const measure = { ...states[target]!.measure, boundary: false };
      const next = tail(rest, target);
      state = states.push({ edges: [[low, high, next]], final: false, measure }) - 1;
      tails.set(key, state);
    }
    return state;
  };
  const sequences = automaton.classes.map((set) =>
    (json ? jsonSequences(set) : utf8Ranges(set)).map(([first, ...rest]) => ({
      first: first!,
      ending: endings.of(rest),
    })),
  );
  const closed = json ? states.push({ edges: [], final: true, measure: noLength }) - 1 : -1;
  for (const [i, { next, final }] of automaton.states.entries()) {
    for (const [c, target] of next.entries()) {
      if (target < 0) continue;
      spend(stepsOfEdge * sequences[c]!.length, 'patterns, formats and bounds of numbers');
      for (const { first, ending } of sequences[c]!) states[i]!.edges.push([first[0], first[1], tail(ending, target)]);
    }
    if (json && final) states[i]!.edges.push([quote, quote, closed]);
    joinRanges(states[i]!.edges);
  }
  return { states: joinEscapes(states) };
}

/** An edge is made, ordered and copied. */
const stepsOfEdge = 4;
const stepsOfState = 12;
const noLength: Measure = { boundary: false, least: 0, most: Number.POSITIVE_INFINITY };
const quote = 0x22;
const backslash = 0x5c;
const escapes: readonly (readonly [string, string])[] = [
  ['"', '"'],
  ['\\', '\\'],
  ['\b', 'b'],
  ['\f', 'f'],
  ['\n', 'n'],
  ['\r', 'r'],
  ['\t', 't'],
];
const escaped = setOf(...escapes.map(([character]) => character));
const controls = setOfRanges([[0, 0x1f]]);
const plain = difference(setOfRanges([[0x20, 0x10ffff]]), escaped);

/** Behind the first byte of a character: one number for those that end alike, in whatever class they stand. */
class Endings {
  readonly known: { readonly low: number; readonly high: number; readonly rest: number }[] = [];
  readonly #ids = new Map<string, number>();

  /** -1: nothing is left. */
  of(ranges: ByteRanges): number {
    const [first, ...rest] = ranges;
    if (!first) return -1;
    const key = ranges.join(';');
    let id = this.#ids.get(key);
    if (id === undefined) {
      id = this.known.push({ low: first[0], high: first[1], rest: this.of(rest) }) - 1;
      this.#ids.set(key, id);
    }
    return id;
  }
}

function jsonSequences(set: readonly number[]): ByteRanges[] {
  const sequences = utf8Ranges(intersection(set, plain));
  for (const [character, letter] of escapes) {
    if (intersection(set, setOf(character)).length === 0) continue;
    sequences.push(exactly(backslash, letter.charCodeAt(0)));
  }
  const others = difference(intersection(set, controls), escaped);
  for (let code = 0; code < 0x20; code++) {
    if (intersection(others, [code, code]).length === 0) continue;
    const hex = code.toString(16).padStart(4, '0');
    const digits = [...hex].map((digit) => digit.charCodeAt(0));
    sequences.push(exactly(backslash, 0x75, ...digits));
    if (/[a-f]/.test(hex))
      sequences.push(exactly(backslash, 0x75, ...[...hex.toUpperCase()].map((d) => d.charCodeAt(0))));
  }
  return sequences;
}

const exactly = (...bytes: readonly number[]): ByteRanges => bytes.map((byte) => [byte, byte] as const);

/** Neighbours in ASCII that lead to the same place are one edge: digits are told apart by a few states only. */
function joinRanges(edges: (readonly [number, number, number])[]): void {
  const isPlain = ([low, high]: readonly [number, number, number]): boolean => high < 0x80 && low !== backslash;
  const joined: [number, number, number][] = [];
  for (const [low, high, target] of edges.filter(isPlain).sort(([a], [b]) => a - b)) {
    const last = joined.at(-1);
    if (last && last[1] === low - 1 && last[2] === target) last[1] = high;
    else joined.push([low, high, target]);
  }
  edges.splice(0, edges.length, ...joined, ...edges.filter((edge) => !isPlain(edge)));
}

/** Edges of one state that begin with the same byte (escapes) are made one, so that the result is deterministic. */
function joinEscapes(states: State[]): ByteAutomaton['states'] {
  const joined = new Map<string, number>();
  for (let i = 0; i < states.length; i++) {
    if (new Set(states[i]!.edges.map(([low]) => low)).size === states[i]!.edges.length) continue;
    spend(4 * states[i]!.edges.length, 'patterns, formats and bounds of numbers');
    const groups = new Map<number, number[]>();
    for (const [low, high, target] of states[i]!.edges) {
      const group = groups.get(low * 256 + high);
      if (group) group.push(target);
      else groups.set(low * 256 + high, [target]);
    }
    const edges = [...groups].map(([key, targets]) => {
      const [low, high] = [key >> 8, key & 255];
      const members = [...new Set(targets)].sort((a, b) => a - b);
      if (members.length === 1) return [low, high, members[0]!] as const;
      const name = members.join();
      let state = joined.get(name);
      if (state === undefined) {
        const measures = members.map((member) => states[member]!.measure);
        state =
          states.push({
            edges: members.flatMap((member) => states[member]!.edges),
            final: false,
            measure: {
              boundary: false,
              least: Math.min(...measures.map(({ least }) => least)),
              most: Math.max(...measures.map(({ most }) => most)),
            },
          }) - 1;
        joined.set(name, state);
      }
      return [low, high, state] as const;
    });
    states[i]!.edges.splice(0, states[i]!.edges.length, ...edges);
  }
  return states;
}

/** Characters from each state to the end: the fewest, and the most (infinite where a loop lies ahead). */
function remainingLengths({ states }: CharacterAutomaton): { least: number; most: number }[] {
  const least = states.map(({ final }) => (final ? 0 : Number.POSITIVE_INFINITY));
  const before: number[][] = states.map(() => []);
  states.forEach(({ next }, state) => {
    for (const after of new Set(next)) if (after >= 0) before[after]!.push(state);
  });
  let layer = states.flatMap(({ final }, state) => (final ? [state] : []));
  for (let distance = 1; layer.length > 0; distance++) {
    const reached = layer
      .flatMap((state) => before[state]!)
      .filter((state) => least[state] === Number.POSITIVE_INFINITY);
    layer = [...new Set(reached)];
    for (const state of layer) least[state] = distance;
  }
  const most = states.map(() => Number.POSITIVE_INFINITY);
  const open = states.map(({ next }) => new Set(next.filter((after) => after >= 0)).size);
  const ready = states.flatMap((_, state) => (open[state] === 0 ? [state] : []));
  for (let state = ready.pop(); state !== undefined; state = ready.pop()) {
    most[state] = Math.max(0, ...states[state]!.next.filter((after) => after >= 0).map((after) => most[after]! + 1));
    for (const previous of before[state]!) if (--open[previous]! === 0) ready.push(previous);
  }
  return states.map((_, state) => ({ least: least[state]!, most: most[state]! }));
}
