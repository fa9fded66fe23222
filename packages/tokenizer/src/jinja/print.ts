// How Python prints values: `str` and `repr`.
import { spend } from './spending.ts';
import {
  Attributes,
  Callable,
  Float,
  isDict,
  isText,
  type Key,
  Missing,
  rawText,
  Tuple,
  type Value,
} from './values.ts';

/** `str(value)`, and the empty text for what is not there. */
export const printed = (value: Value): string => (isText(value) ? rawText(value) : repr(value));

export function repr(value: Value | Key): string {
  spend(1, isText(value) ? rawText(value).length : 0);
  if (value instanceof Missing) return '';
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') return printedInteger(value);
  if (value instanceof Float) return printedFloat(value.value);
  if (isText(value)) return quoted(rawText(value));
  if (Array.isArray(value)) return `[${value.map(inside).join(', ')}]`;
  if (value instanceof Tuple) return `(${value.items.map(inside).join(', ')}${value.items.length === 1 ? ',' : ''})`;
  if (isDict(value)) return `{${[...value].map(([key, item]) => `${repr(key)}: ${inside(item)}`).join(', ')}}`;
  if (value instanceof Attributes) return '<Namespace>';
  return value instanceof Callable ? `<function ${value.name}>` : '';
}

const inside = (value: Value): string => (value instanceof Missing ? 'Undefined' : repr(value));

/** Whole numbers are written out. */
export const printedInteger = (value: number): string =>
  Math.abs(value) < 1e21 ? String(value) : BigInt(value).toString();

/** `repr(float)`: the shortest digits that say the number, with an exponent below 1e-4 and from 1e16 on. */
export function printedFloat(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  const [digits, power] = value.toExponential().split('e') as [string, string];
  const exponent = Number(power);
  if (exponent < -4 || exponent >= 16) {
    return `${digits}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  const plain = value.toFixed(Math.max(1, digits.replace(/^-?\d\.?/, '').length - exponent));
  return plain;
}

const escapes: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** `repr` of a text: single quotes, unless only double quotes need no escape; what cannot be printed is escaped. */
function quoted(text: string): string {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'";
  const body = text.replace(/[\\\p{C}\p{Z}]/gu, (character) => {
    if (character === ' ') return character;
    const code = character.codePointAt(0) as number;
    const hex = code.toString(16);
    if (code < 0x100) return escapes[character] ?? `\\x${hex.padStart(2, '0')}`;
    return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
  });
  return mark + (mark === "'" ? body.replaceAll("'", "\\'") : body) + mark;
}
