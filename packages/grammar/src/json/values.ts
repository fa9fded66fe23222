// JSON's own syntax: white space, strings, numbers, and any value at all.

import { setOfRanges } from '../characters/code-point-set.ts';
import { utf8Ranges } from '../characters/utf8.ts';
import {
  automaton,
  type ByteAutomaton,
  choice,
  type Expression,
  optional,
  repeat,
  rule,
  type Scope,
  sequence,
  text,
} from '../expression.ts';
import type { ByteEdge, Measure } from '../machine/program.ts';
import { utf8Automaton } from '../regex/bytes.ts';
import { searchAutomaton } from '../regex/compile.ts';
import { boundedWork, Kept } from '../work.ts';

/**
 * Where JSON allows white space: none, a space, or line ends and an indentation, as many of each as llama.cpp allows. A model
 * that is unsure writes all the blanks that it may.
 */
const spacePattern = '^(?: |[\\n\\r]{1,2}[ \\t]{0,20})?$';
export const space = rule('json-space');

/** Any text behind its opening quote, with every escape that JSON has; surrogates come in pairs. */
export const anyString: ByteAutomaton = makeAnyString();

function makeAnyString(): ByteAutomaton {
  const start = 0;
  const closed = 1;
  const states: { edges: ByteEdge[]; final: boolean; measure: Measure }[] = [];
  const add = (edges: ByteEdge[], boundary = false, final = false): number =>
    states.push({ edges, final, measure: { boundary, least: 0, most: Number.POSITIVE_INFINITY } }) - 1;
  add([], true);
  add([], false, true);
  /** Hexadecimal digits, each from a list of ranges, then `next`. */
  const hex = (digits: readonly (readonly [number, number])[][], next: number): number =>
    digits.reduceRight((behind, ranges) => add(ranges.map(([low, high]) => [low, high, behind])), next);
  const digit = (from: string, to = from): [number, number] => [from.charCodeAt(0), to.charCodeAt(0)];
  const any = [digit('0', '9'), digit('a', 'f'), digit('A', 'F')];
  const low = hex([[digit('d'), digit('D')], [digit('c', 'f'), digit('C', 'F')], any, any], start);
  const lowEscape = add([[0x5c, 0x5c, add([[0x75, 0x75, low]])]]);
  const high = hex([[digit('8', '9'), digit('a', 'b'), digit('A', 'B')], any, any], lowEscape);
  const three = hex([any, any, any], start);
  const notSurrogate = hex([[digit('0', '7')], any, any], start);
  const afterD = add([...states[high]!.edges, ...states[notSurrogate]!.edges]);
  const unicode = add([
    [...digit('0', '9'), three],
    [...digit('a', 'c'), three],
    [...digit('A', 'C'), three],
    [...digit('e', 'f'), three],
    [...digit('E', 'F'), three],
    [...digit('d'), afterD],
    [...digit('D'), afterD],
  ]);
  const escapes = add([
    ...[...'"\\/bfnrt'].map((letter): ByteEdge => [...digit(letter), start]),
    [0x75, 0x75, unicode],
  ]);
  const tails = new Map<string, number>();
  for (const [first, ...rest] of utf8Ranges(
    setOfRanges([
      [0x20, 0x21],
      [0x23, 0x5b],
      [0x5d, 0x10ffff],
    ]),
  )) {
    let next = start;
    for (const [from, to] of rest.toReversed()) {
      const key = `${from},${to},${next}`;
      const known = tails.get(key) ?? add([[from, to, next]]);
      tails.set(key, known);
      next = known;
    }
    states[start]!.edges.push([first![0], first![1], next]);
  }
  states[start]!.edges.push([0x22, 0x22, closed], [0x5c, 0x5c, escapes]);
  return { states };
}

/** Digits are bounded so that every number is finite for a reader with 64-bit floats, and none goes on for ever. */
export const maxIntegerDigits = 60;
export const maxFractionDigits = 30;
const mantissa = `-?(?:0|[1-9]\\d{0,${maxIntegerDigits - 1}})(?:\\.\\d{1,${maxFractionDigits}})?`;
const scientific = `-?(?:0|[1-9]\\d{0,4})(?:\\.\\d{1,${maxFractionDigits}})?[eE][+-]?(?:30[0-2]|[12]\\d\\d|\\d{1,2})`;
export const numberPattern = `^(?:${mantissa}|${scientific})$`;
export const integerPattern = `^-?(?:0|[1-9]\\d{0,${maxIntegerDigits - 1}})$`;

/** Automata of numbers, by their (anchored) pattern: compiled once. */
const numbers = new Kept<string, ByteAutomaton>('patterns, formats and bounds of numbers');
export const numberAutomaton = (pattern: string): ByteAutomaton =>
  numbers.of(pattern, () => utf8Automaton(searchAutomaton(pattern)));

export const stringOf = (inside: ByteAutomaton, min = 0, max = Number.POSITIVE_INFINITY): Expression =>
  sequence([text('"'), automaton(inside, min, max)]);
export const comma: Expression = sequence([text(','), space]);
export const colon: Expression = sequence([text(':'), space]);

/** `open (item (, item)*)? close` */
export function listed(open: string, item: Expression, close: string): Expression {
  const items = sequence([item, space, repeat(sequence([comma, item, space]), 0)]);
  return sequence([text(open), space, optional(items), text(close)]);
}

export const anyValue: Expression = rule('json-value');
export const anyObject: Expression = rule('json-object');

/** How the three words of JSON are written: Python has other ones. */
export type Spelling = 'json' | 'python';
const words = {
  json: { true: 'true', false: 'false', null: 'null' },
  python: { true: 'True', false: 'False', null: 'None' },
};
export const word = (value: boolean | null, spelling: Spelling): Expression =>
  text(words[spelling][String(value) as 'true' | 'false' | 'null']);

function rulesOf(spelling: Spelling): Scope {
  const rules: [string, Expression][] = [
    ['json-space', automaton(utf8Automaton(searchAutomaton(spacePattern)))],
    ['json-object', listed('{', sequence([stringOf(anyString), colon, anyValue]), '}')],
    ['json-array', listed('[', anyValue, ']')],
    [
      'json-value',
      choice([
        rule('json-object'),
        rule('json-array'),
        stringOf(anyString),
        automaton(numberAutomaton(numberPattern)),
        ...[true, false, null].map((value) => word(value, spelling)),
      ]),
    ],
  ];
  return { rules: new Map(rules) };
}

const scopes = new Map<Spelling, Scope>();

/** The rules that the expressions above name: the same object for every grammar, and no work of the one that asks first. */
export function jsonScope(spelling: Spelling): Scope {
  let scope = scopes.get(spelling);
  if (!scope) scopes.set(spelling, (scope = boundedWork(() => rulesOf(spelling)).made));
  return scope;
}

/** A value as it stands, with white space where JSON has it. */
export function literalValue(value: unknown, spelling: Spelling): Expression {
  if (Array.isArray(value)) {
    const items = value.map((item) => literalValue(item, spelling));
    return sequence([text('['), space, ...separated(items), text(']')]);
  }
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(([key, member]) =>
      sequence([text(JSON.stringify(key)), colon, literalValue(member, spelling)]),
    );
    return sequence([text('{'), space, ...separated(members), text('}')]);
  }
  return typeof value === 'boolean' || value === null ? word(value, spelling) : text(JSON.stringify(value));
}

const separated = (items: readonly Expression[]): Expression[] =>
  items.flatMap((item, i) => (i === 0 ? [item, space] : [comma, item, space]));
