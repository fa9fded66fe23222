// Numbers between bounds as a regular expression over their decimal digits. Exact: digits are compared, nothing is rounded.
// Bounded numbers are written without an exponent.
import { maxFractionDigits, maxIntegerDigits } from './values.ts';

export interface Bound {
  readonly value: number;
  readonly exclusive: boolean;
}

export interface NumberRange {
  readonly min?: Bound;
  readonly max?: Bound;
}

/** Significant digits that a 64-bit float tells apart: more, and a text beyond a bound could be read as the bound. */
export const exactDigits = 15;

/** Undefined: no integer lies between the bounds. */
export function integerRangePattern({ min, max }: NumberRange): string | undefined {
  const low = min === undefined ? undefined : lowestInteger(min);
  const high = max === undefined ? undefined : highestInteger(max);
  if (low !== undefined && high !== undefined && low > high) return undefined;
  const options: string[] = [];
  if (high === undefined || high >= 0n) options.push(...naturals(low !== undefined && low > 0n ? low : 0n, high));
  if (low === undefined || low < 0n) {
    const nearest = high !== undefined && high < 0n ? -high : 1n;
    options.push(...naturals(nearest, low === undefined ? undefined : -low).map((option) => `-(?:${option})`));
  }
  return anchored(options);
}

function lowestInteger({ value, exclusive }: Bound): bigint {
  const up = BigInt(Math.ceil(value));
  return exclusive && Number.isInteger(value) ? BigInt(nextInteger(value, 1)) : up;
}

function highestInteger({ value, exclusive }: Bound): bigint {
  const down = BigInt(Math.floor(value));
  return exclusive && Number.isInteger(value) ? BigInt(nextInteger(value, -1)) : down;
}

/** Beyond 2^53 the next number that a reader tells apart lies further away. */
function nextInteger(value: number, direction: 1 | -1): number {
  for (let step = 1; ; step *= 2) if (value + direction * step !== value) return value + direction * step;
}

/** Beyond 2^53, "not this number" is "the next one that a reader tells apart". */
function inclusive(bound: Bound | undefined, direction: 1 | -1): Bound | undefined {
  if (!bound?.exclusive || Math.abs(bound.value) < 2 ** 53) return bound;
  return { value: nextInteger(bound.value, direction), exclusive: false };
}

/** Natural numbers from `low` to `high`, without leading zeros. */
function naturals(low: bigint, high: bigint | undefined): string[] {
  const options: string[] = [];
  const from = low.toString();
  const largest = high === undefined || high.toString().length > maxIntegerDigits ? undefined : high.toString();
  if (from.length > maxIntegerDigits) return [];
  const last = largest?.length ?? maxIntegerDigits;
  for (let length = from.length; length <= last; length++) {
    const first = length === from.length ? from : `1${'0'.repeat(length - 1)}`;
    if (largest === undefined && length > from.length) {
      options.push(`[1-9]\\d{${length - 1},${last - 1}}`);
      break;
    }
    options.push(between(first, length === largest?.length ? largest : '9'.repeat(length)));
  }
  return options;
}

/** Digit strings of one length, from `low` to `high`. */
function between(low: string, high: string): string {
  if (low === '') return '';
  if (low[0] === high[0]) return low[0]! + between(low.slice(1), high.slice(1));
  const rest = low.length - 1;
  const lowest = /^0*$/.test(low.slice(1));
  const highest = /^9*$/.test(high.slice(1));
  const options: string[] = [];
  const first = Number(low[0]) + (lowest ? 0 : 1);
  const last = Number(high[0]) - (highest ? 0 : 1);
  if (!lowest) options.push(low[0]! + between(low.slice(1), '9'.repeat(rest)));
  if (first <= last) options.push(`[${first}-${last}]${anyDigits(rest, rest)}`);
  if (!highest) options.push(high[0]! + between('0'.repeat(rest), high.slice(1)));
  return `(?:${options.join('|')})`;
}

const anyDigits = (min: number, max: number): string =>
  max <= 0 ? '' : min === max ? `\\d{${min}}` : `\\d{${min},${max}}`;

/** Undefined: nothing lies between the bounds. */
export function numberRangePattern(range: NumberRange): string | undefined {
  const min = inclusive(range.min, 1);
  const max = inclusive(range.max, -1);
  if (min && max && (min.value > max.value || (min.value === max.value && (min.exclusive || max.exclusive))))
    return undefined;
  const options: string[] = [];
  if (max === undefined || max.value > 0 || (max.value === 0 && !max.exclusive))
    options.push(...magnitudes(min && min.value >= 0 ? min : undefined, max));
  if (min === undefined || min.value < 0)
    options.push(...magnitudes(negated(max && max.value <= 0 ? max : undefined), negated(min)).map((m) => `-${m}`));
  return anchored(options);
}

/** Each option by itself: lookahead is decided at the top of an expression. */
const anchored = (options: readonly string[]): string | undefined =>
  options.length === 0 ? undefined : options.map((option) => `^${option}$`).join('|');

const negated = (bound: Bound | undefined): Bound | undefined =>
  bound && { value: -bound.value, exclusive: bound.exclusive };

/** Numbers without a sign, from `min` (0) to `max` (no bound): the language of "at least" within that of "at most". */
function magnitudes(min: Bound | undefined, max: Bound | undefined): string[] {
  const low = decimal(min?.value ?? 0);
  const above = (digits: number): string[] =>
    fractionsAbove(low.fraction, min?.exclusive ?? false, digits).map((fraction) => low.integer + fraction);
  const next = BigInt(low.integer) + 1n;
  if (!max) return [...above(fractionDigitsAt(low)), ...wholeParts(next, undefined, maxFractionDigits)];
  const high = decimal(max.value);
  if (low.integer === high.integer)
    return [
      low.integer +
        fractionsBetween(low.fraction, min?.exclusive ?? false, high.fraction, max.exclusive, fractionDigitsAt(high)),
    ];
  const last = BigInt(high.integer) - 1n;
  return [
    ...above(fractionDigitsAt(low)),
    ...wholeParts(next, last - 1n, maxFractionDigits),
    // Just below the bound, so many digits could be read as the bound.
    ...(last >= next ? wholeParts(last, last, fractionDigitsAt(high)) : []),
    ...fractionsBelow(high.fraction, max.exclusive, fractionDigitsAt(high)).map((fraction) => high.integer + fraction),
  ];
}

function wholeParts(low: bigint, high: bigint | undefined, digits: number): string[] {
  if (high !== undefined && high < low) return [];
  return naturals(low, high).map((whole) => `(?:${whole})(?:\\.${anyDigits(1, digits)})?`);
}

/** Decimals with which a number beside a bound is still told apart from it. */
function fractionDigitsAt({ integer, fraction }: { integer: string; fraction: string }): number {
  const digits = exactDigits - (integer === '0' ? 0 : integer.length);
  return Math.min(maxFractionDigits, Math.max(1, fraction.length, digits));
}

/** Digits of a float, as JavaScript would print them, without exponent and sign. */
function decimal(value: number): { integer: string; fraction: string } {
  const [mantissa = '', exponent = '0'] = Math.abs(value).toString().split('e');
  const [whole = '', part = ''] = mantissa.split('.');
  const shift = Number(exponent);
  const digits = whole + part;
  const point = whole.length + shift;
  const padded = point <= 0 ? '0'.repeat(1 - point) + digits : digits.padEnd(point, '0');
  const at = Math.max(1, point);
  return { integer: padded.slice(0, at).replace(/^0+(?=\d)/, ''), fraction: padded.slice(at).replace(/0+$/, '') };
}

/** Fractions (with their point, or none) that are at least `low`. */
function fractionsAbove(low: string, exclusive: boolean, digits: number): string[] {
  const options: string[] = [];
  for (let i = 0; i < low.length; i++) {
    const digit = Number(low[i]);
    if (digit < 9) options.push(`\\.${low.slice(0, i)}[${digit + 1}-9]${anyDigits(0, digits - i - 1)}`);
  }
  const rest = digits - low.length;
  if (low === '') options.push(...(exclusive ? [positiveFraction('', digits)] : [`(?:\\.${anyDigits(1, digits)})?`]));
  else if (!exclusive) options.push(`\\.${low}${anyDigits(0, rest)}`);
  else if (rest > 0) options.push(positiveFraction(low, rest));
  return options;
}

/** `.`, some digits, and more of which one is not 0. */
const positiveFraction = (start: string, digits: number): string =>
  `(?:${Array.from({ length: digits }, (_, zeros) => `\\.${start}${'0'.repeat(zeros)}[1-9]${anyDigits(0, digits - zeros - 1)}`).join('|')})`;

/** Fractions (with their point, or none) that are at most `high`. */
function fractionsBelow(high: string, exclusive: boolean, digits: number): string[] {
  const options: string[] = [];
  if (high !== '' || !exclusive) options.push('');
  for (let i = 0; i < high.length; i++) {
    const digit = Number(high[i]);
    if (i > 0) options.push(`\\.${high.slice(0, i)}`);
    if (digit > 0) options.push(`\\.${high.slice(0, i)}[0-${digit - 1}]${anyDigits(0, digits - i - 1)}`);
  }
  if (!exclusive)
    options.push(
      high === ''
        ? `\\.0${`{1,${digits}}`}`
        : `\\.${high}${digits > high.length ? `0{0,${digits - high.length}}` : ''}`,
    );
  return options;
}

function fractionsBetween(
  low: string,
  lowExclusive: boolean,
  high: string,
  highExclusive: boolean,
  digits: number,
): string {
  const above = fractionsAbove(low, lowExclusive, digits).join('|');
  const below = fractionsBelow(high, highExclusive, digits).join('|');
  // Of all fractions that go on from here, those in both: a lookahead is an intersection.
  return `(?=(?:${above})$)(?:${below})`;
}
