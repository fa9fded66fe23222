// How much a text of JSON would become, before anything is made of it. JSON.parse works in one go, on the thread that answers everybody:
// a microsecond for each text, and two for each key that no object before had at its place. What is no JSON is counted as far as it goes.
import { shapeCounter } from './json-shapes.ts';

export interface JsonLimits {
  /** Lists and objects inside of each other. */
  readonly depth: number;
  /** Lists, objects, keys and texts; of what is less work (numbers, keys that are numbers, true, false, null) four are one. */
  readonly parts: number;
  /** Keys that no object before had behind the same keys. */
  readonly newKeys: number;
}

export type JsonExcess = { readonly of: 'parts' | 'newKeys' } | { readonly of: 'depth'; readonly path: string };

/** One list or object that is open. */
interface Open {
  isObject: boolean;
  /** Of a list. */
  index: number;
  /** Of an object: where the text of its last key is, and whether the next text is one. */
  keyFrom: number;
  keyTo: number;
  atKey: boolean;
  /** Which keys it had. */
  shape: number;
}

/** Characters between two pauses: some milliseconds. */
const slice = 2 ** 20;

/** What several texts have together. */
export interface JsonSum {
  quarters: number;
}

/**
 * As far as it is more than `limits` have, or undefined. It pauses, so that whoever counts may do something else.
 * @param sum with the texts before it
 */
export function* measureJson(
  text: string,
  limits: JsonLimits,
  sum: JsonSum = { quarters: 0 },
): Generator<void, JsonExcess | undefined> {
  const shapes = shapeCounter();
  const open: Open[] = [];
  let depth = 0;
  const most = 4 * limits.parts;
  let pauseAt = slice;
  let top: Open | undefined;
  for (let at = 0; at < text.length; ) {
    if (at >= pauseAt) {
      pauseAt = at + slice;
      yield;
    }
    if (sum.quarters > most) return { of: 'parts' };
    const unit = text.charCodeAt(at);
    switch (unit) {
      case 0x20:
      case 0x09:
      case 0x0a:
      case 0x0d:
      case 0x3a: // :
        at = runEnd(text, at + 1, pauseAt, between);
        break;
      case 0x2c: // ,
        at++;
        if (top?.isObject) top.atKey = true;
        else if (top) top.index++;
        break;
      case 0x7b: // {
      case 0x5b: // [
        at++;
        if (depth === limits.depth) return { of: 'depth', path: pathOf(text, open) };
        sum.quarters += 4;
        top = open[depth++] ??= { isObject: false, index: 0, keyFrom: 0, keyTo: 0, atKey: false, shape: 0 };
        top.isObject = top.atKey = unit === 0x7b;
        top.index = top.keyFrom = top.keyTo = top.shape = 0;
        break;
      case 0x7d: // }
      case 0x5d: // ]
        at++;
        depth = Math.max(0, depth - 1);
        top = open[depth - 1];
        break;
      case 0x22: {
        const from = at + 1;
        for (at = quoteFrom(text, from); isEscaped(text, at, from); at = quoteFrom(text, at + 1)) {
          if (at < pauseAt) continue;
          pauseAt = at + slice;
          yield;
        }
        sum.quarters += 4;
        if (top?.atKey) {
          top.atKey = false;
          top.keyFrom = from;
          top.keyTo = at;
          const key = text.slice(from, at);
          if (isIndex(key)) sum.quarters -= 3;
          else top.shape = shapes.after(top.shape, key);
          if (shapes.count > limits.newKeys) return { of: 'newKeys' };
        }
        at++;
        break;
      }
      default:
        sum.quarters++;
        at = runEnd(text, at + 1, pauseAt, inWords);
    }
  }
  // JSON.parse takes its own time.
  if (pauseAt > slice) yield;
  return sum.quarters > most ? { of: 'parts' } : undefined;
}

/** Where the next quote is, or the end. */
function quoteFrom(text: string, from: number): number {
  const found = text.indexOf('"', from);
  return found < 0 ? text.length : found;
}

/** Whether the quote is a part of the text that begins at `from`: it has a backslash of its own. */
function isEscaped(text: string, quote: number, from: number): boolean {
  let first = quote;
  while (first > from && text.charCodeAt(first - 1) === 0x5c) first--;
  return quote < text.length && (quote - first) % 2 === 1;
}

/** By character, those that count. */
const signs = (has: (sign: string) => boolean): Uint8Array =>
  Uint8Array.from({ length: 0x80 }, (_, unit) => Number(has(String.fromCharCode(unit))));
const between = signs((sign) => ' \t\n\r:'.includes(sign));
const inWords = signs((sign) => !' \t\n\r:,{}[]"'.includes(sign));

/** Where the characters of a kind end, or where a pause is due: a word that is cut there counts as two. */
function runEnd(text: string, from: number, pauseAt: number, kind: Uint8Array): number {
  const most = Math.min(text.length, pauseAt);
  let at = from;
  while (at < most && kind[text.charCodeAt(at)] === 1) at++;
  return at;
}

/** Objects have such keys as lists have theirs. */
const isIndex = (key: string): boolean => key.length < 10 && /^(?:0|[1-9]\d*)$/.test(key);

const pathOf = (text: string, open: readonly Open[]): string =>
  open.map(({ isObject, index, keyFrom, keyTo }) => (isObject ? text.slice(keyFrom, keyTo) : `${index}`)).join('.');
