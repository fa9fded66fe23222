// Strings and numbers of an alternative: what all its schemas ask of them, as one automaton.
import type { ByteAutomaton } from '../expression.ts';
import { type Bound, exactDigits, integerRangePattern, numberRangePattern } from '../json/number-range.ts';
import { anyString, integerPattern, numberAutomaton, numberPattern } from '../json/values.ts';
import {
  acceptsNothing,
  type CharacterAutomaton,
  complementOf,
  differenceOf,
  intersectionOf,
  textsAutomaton,
} from '../regex/automaton.ts';
import { jsonStringAutomaton, utf8Automaton } from '../regex/bytes.ts';
import { searchAutomaton } from '../regex/compile.ts';
import { RegexError } from '../regex/node.ts';
import { Kept } from '../work.ts';
import type { Alternative } from './alternatives.ts';
import { formatAutomaton, formatMaxLength } from './formats.ts';
import { multiplesAutomaton } from './multiples.ts';
import {
  countOf,
  type Excluding,
  notFormat,
  notInteger,
  notMultiple,
  notPattern,
  notValues,
  numberOf,
  type Place,
  refuse,
  stringOf,
} from './schema.ts';

export interface Texts {
  /** Undefined: any text. */
  readonly automaton?: CharacterAutomaton;
  readonly min: number;
  readonly max: number;
}

const patterns = new Kept<string, CharacterAutomaton>('patterns, formats and bounds of numbers');

/** @throws QuernError `schema-unsupported` with the reason why a pattern cannot be enforced */
export function patternAutomaton(place: Place, keyword: string, pattern: string): CharacterAutomaton {
  try {
    return patterns.of(pattern, () => searchAutomaton(pattern));
  } catch (error) {
    if (error instanceof RegexError)
      return refuse(place, keyword, `of ${JSON.stringify(pattern.slice(0, 200))}, ${error.message}`);
    throw error;
  }
}

/** `^[set]{m,n}$` with large counts is a length, not that many states. */
const counted = /^\^(\[(?:[^\]\\]|\\.)+\]|\\[dwsDWS]|\.)\{(\d+),(\d*)\}\$$/;

/** Undefined: no text satisfies all. */
export function textsOf(alternative: Alternative): Texts | undefined {
  let automaton: CharacterAutomaton | undefined;
  let min = 0;
  let max = Number.POSITIVE_INFINITY;
  const both = (other: CharacterAutomaton, place: Place): void => {
    try {
      automaton = automaton ? intersectionOf(automaton, other) : other;
    } catch (error) {
      if (error instanceof RegexError) refuse(place, 'pattern', `together with the other patterns, ${error.message}`);
      throw error;
    }
  };
  for (const leaf of alternative) {
    min = Math.max(min, countOf(leaf, 'minLength') ?? 0);
    max = Math.min(max, countOf(leaf, 'maxLength') ?? max);
    const pattern = stringOf(leaf, 'pattern');
    const length = pattern === undefined ? null : counted.exec(pattern);
    if (length && Number(length[3] || length[2]) > 100) {
      both(patternAutomaton(leaf, 'pattern', `^${length[1]}*$`), leaf);
      min = Math.max(min, Number(length[2]));
      if (length[3]) max = Math.min(max, Number(length[3]));
    } else if (pattern !== undefined) both(patternAutomaton(leaf, 'pattern', pattern), leaf);
    const format = stringOf(leaf, 'format');
    if (format !== undefined) {
      const texts = formatAutomaton(format);
      if (texts === 'refused') refuse(leaf, 'format', `${JSON.stringify(format)} cannot be decided`);
      else if (texts) both(texts, leaf);
      max = Math.min(max, formatMaxLength(format));
    }
    exclude(leaf, both);
  }
  if (min > max || (automaton && acceptsNothing(automaton))) return undefined;
  return { ...(automaton && { automaton }), min, max };
}

function exclude(leaf: Place, both: (other: CharacterAutomaton, place: Place) => void): void {
  const excluding = leaf.schema as Excluding;
  const texts = excluding[notValues]?.filter((value) => typeof value === 'string') ?? [];
  if (texts.length > 0) both(complementOf(textsAutomaton(texts)), leaf);
  if (excluding[notPattern] !== undefined)
    both(complementOf(patternAutomaton(leaf, 'not', excluding[notPattern])), leaf);
  if (excluding[notFormat] === undefined) return;
  const format = formatAutomaton(excluding[notFormat]);
  // Formats are enforced by a part of what they allow, so their opposite is not known.
  if (format !== undefined) refuse(leaf, 'not', 'the opposite of format is not known');
  both(textsAutomaton([]), leaf);
}

/** Behind the opening quote. */
export const insideOf = ({ automaton }: Texts): ByteAutomaton =>
  automaton ? jsonStringAutomaton(automaton) : anyString;

/** Undefined: no number satisfies all. */
export function numbersOf(alternative: Alternative, integer: boolean): ByteAutomaton | undefined {
  const { min, max } = boundsOf(alternative);
  const factors = alternative.flatMap((leaf) => {
    const factor = numberOf(leaf, 'multipleOf');
    return factor === undefined ? [] : [{ leaf, factor }];
  });
  const excluded = alternative.flatMap((leaf) =>
    ((leaf.schema as Excluding)[notValues] ?? []).filter((value) => typeof value === 'number'),
  );
  const unwanted = alternative.flatMap((leaf) => {
    const factor = (leaf.schema as Excluding)[notMultiple];
    return factor === undefined ? [] : [{ leaf, factor }];
  });
  const fractions = alternative.some((leaf) => (leaf.schema as Excluding)[notInteger]);
  if (fractions && integer) return undefined;
  const plain = !fractions && factors.length === 0 && excluded.length === 0 && unwanted.length === 0;
  if (plain && !min && !max) return numberAutomaton(integer ? integerPattern : numberPattern);
  const whole = integer || factors.some(({ factor }) => Number.isInteger(factor));
  const pattern = whole ? integerRangePattern({ min, max }) : numberRangePattern({ min, max });
  if (pattern === undefined) return undefined;
  if (plain) return numberAutomaton(pattern);
  let automaton = searchAutomaton(pattern);
  if (fractions)
    automaton = differenceOf(
      intersectionOf(automaton, exactNumbers('with a fraction')),
      searchAutomaton('^-?\\d+(?:\\.0+)?$'),
    );
  for (const { leaf, factor } of factors) automaton = intersectionOf(automaton, multiplesAutomaton(leaf, factor));
  if (factors.some(({ factor }) => factor !== 1)) automaton = intersectionOf(automaton, exactNumbers('of any kind'));
  for (const { leaf, factor } of unwanted)
    automaton = differenceOf(intersectionOf(automaton, exactNumbers('of any kind')), multiplesAutomaton(leaf, factor));
  for (const value of excluded) {
    if (/e/.test(String(value))) continue;
    const zeros = Number.isInteger(value) ? '(?:\\.0+)?' : '0*';
    const sign = value === 0 ? '-?' : '';
    automaton = differenceOf(automaton, searchAutomaton(`^${sign}${String(value).replace('.', '\\.')}${zeros}$`));
  }
  return acceptsNothing(automaton) ? undefined : utf8Automaton(automaton);
}

/**
 * Numerals that a float says exactly, up to as many digits in all: beyond, what is read as a multiple, or as an integer, may be
 * another number than stands there.
 */
const exactly = new Kept<string, CharacterAutomaton>('patterns, formats and bounds of numbers');
function exactNumbers(fraction: 'with a fraction' | 'of any kind'): CharacterAutomaton {
  const only = fraction === 'with a fraction' ? '' : '?';
  const numerals = Array.from(
    { length: exactDigits - 1 },
    (_, i) => `^-?\\d{${i + 1}}(?:\\.\\d{1,${exactDigits - 1 - i}})${only}$`,
  );
  return exactly.of(fraction, () => searchAutomaton(numerals.join('|')));
}

/** The older `exclusiveMinimum: true` makes `minimum` exclusive. */
export function boundsOf(alternative: Alternative): { min?: Bound; max?: Bound } {
  let min: Bound | undefined;
  let max: Bound | undefined;
  for (const leaf of alternative) {
    const schema = leaf.schema as Readonly<Record<string, unknown>>;
    for (const [name, exclusiveName] of [
      ['minimum', 'exclusiveMinimum'],
      ['maximum', 'exclusiveMaximum'],
    ] as const) {
      const exclusive = typeof schema[exclusiveName] === 'boolean' ? undefined : numberOf(leaf, exclusiveName);
      const plain = numberOf(leaf, name);
      const found: Bound[] = [];
      if (plain !== undefined) found.push({ value: plain, exclusive: schema[exclusiveName] === true });
      if (exclusive !== undefined) found.push({ value: exclusive, exclusive: true });
      for (const bound of found) {
        if (name === 'minimum') min = tighter(min, bound, 1);
        else max = tighter(max, bound, -1);
      }
    }
  }
  return { ...(min && { min }), ...(max && { max }) };
}

function tighter(known: Bound | undefined, bound: Bound, sign: 1 | -1): Bound {
  if (!known) return bound;
  if (known.value === bound.value) return known.exclusive ? known : bound;
  return sign * (bound.value - known.value) > 0 ? bound : known;
}
