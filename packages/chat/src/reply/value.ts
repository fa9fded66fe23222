// One value out of generated text, as JSON. Models write JSON, and now and then Python (`True`, 'text', a comma too many) or
// the notation of their template; what comes out is JSON in any case, piece by piece and as it stood where it was JSON.
import type { ObjectNotation } from '../format.ts';
import { type Input, isSpace, type Reading } from './input.ts';
import { jsonCharacter, readText } from './text-value.ts';

export type Sink = (json: string) => void;

export const json: ObjectNotation = { bareKeys: false };

const words: Readonly<Record<string, string>> = { True: 'true', False: 'false', None: 'null' };
const scalar = /^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)$/;
const wordCharacter = /[\w.+-]/;
const maxWord = 400;
const closes: Readonly<Record<string, string>> = { '{': '}', '[': ']', '(': ']' };
const closedBy: Readonly<Record<string, string>> = { '}': '{', ']': '[', ')': '(' };

/**
 * @returns false where the text stops being a value; what came before has been handed to `sink`
 */
export function* readValue(input: Input, sink: Sink, notation: ObjectNotation = json): Reading<boolean> {
  const open: string[] = [];
  let comma = false;
  do {
    // A value, or the end of a list or object that is empty or has a comma too many.
    let space = '';
    const next = yield* spaced(input, (piece) => (space += piece));
    const last = open.at(-1);
    if (next === undefined) return false;
    if (last !== undefined && closedBy[next] === last) {
      input.skip(1);
      open.pop();
      sink(space + closes[last]!);
    } else {
      sink(comma ? `,${space}` : space);
      comma = false;
      if (last === '{' && !(yield* readKey(input, sink, notation))) return false;
      const first = yield* spaced(input, sink);
      if (first === undefined) return false;
      if (first in closes) {
        input.skip(1);
        open.push(first);
        sink(first === '{' ? '{' : '[');
        continue;
      }
      if (!(yield* readScalar(input, first, sink, notation))) return false;
    }
    // Behind a value.
    while (open.length > 0) {
      const behind = yield* spaced(input, sink);
      if (behind === undefined) return false;
      if (behind === ',') {
        input.skip(1);
        comma = true;
        break;
      }
      const inner = open.at(-1)!;
      if (closedBy[behind] !== inner) return false;
      input.skip(1);
      open.pop();
      sink(closes[inner]!);
    }
  } while (open.length > 0);
  return true;
}

function* spaced(input: Input, sink: Sink): Reading<string | undefined> {
  for (;;) {
    const next = yield* input.peek();
    if (next === undefined || !isSpace(next)) return next;
    input.skip(1);
    sink(next);
  }
}

function* readKey(input: Input, sink: Sink, notation: ObjectNotation): Reading<boolean> {
  const next = yield* input.peek();
  if (next === '"' || next === "'") {
    if (!(yield* readText(input, next, sink))) return false;
  } else if (notation.bareKeys) {
    const key = yield* input.until((character) => character === ':' || isSpace(character), maxWord);
    if (!key) return false;
    sink(JSON.stringify(key));
  } else return false;
  if ((yield* spaced(input, sink)) !== ':') return false;
  input.skip(1);
  sink(':');
  return true;
}

function* readScalar(input: Input, first: string, sink: Sink, notation: ObjectNotation): Reading<boolean> {
  if (notation.quote !== undefined && first === notation.quote[0])
    return yield* readQuoted(input, notation.quote, sink);
  if (first === '"' || first === "'") return yield* readText(input, first, sink);
  const word = yield* input.until((character) => !wordCharacter.test(character), maxWord);
  if (!word) return false;
  // What is no value is told too: nothing that was generated is lost.
  const written = words[word] ?? word;
  sink(written);
  return scalar.test(written);
}

/** A text between marks that no text holds, without escapes. */
function* readQuoted(input: Input, quote: string, sink: Sink): Reading<boolean> {
  if (!(yield* input.expect(quote))) return false;
  sink('"');
  for (;;) {
    const next = yield* input.peek();
    if (next === undefined) return false;
    if (next === quote[0] && (yield* input.accept([quote])) !== undefined) break;
    input.skip(1);
    sink(jsonCharacter(next));
  }
  sink('"');
  return true;
}
