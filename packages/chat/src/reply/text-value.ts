// A text in quotation marks, JSON's or Python's, as a JSON text.
import type { Input, Reading } from './input.ts';
import type { Sink } from './value.ts';

const sameEscapes = new Set(['"', '\\', '/', 'b', 'f', 'n', 'r', 't']);

/** A character inside a JSON text. */
export function jsonCharacter(character: string): string {
  return character < ' ' || character === '"' || character === '\\'
    ? JSON.stringify(character).slice(1, -1)
    : character;
}

/** Characters that stand for themselves inside a JSON text. */
export const jsonCharacters = (text: string): string => text.replace(/["\\\p{Cc}]/gu, jsonCharacter);

export function* readText(input: Input, quote: string, sink: Sink): Reading<boolean> {
  input.skip(1);
  sink('"');
  for (;;) {
    const next = yield* input.peek();
    if (next === undefined) return false;
    if (next === '\\') {
      const written = yield* readEscape(input);
      if (written === undefined) return false;
      sink(written);
      continue;
    }
    input.skip(1);
    if (next === quote) break;
    sink(jsonCharacter(next));
  }
  sink('"');
  return true;
}

/** As JSON writes it. What is an escape in neither language is a backslash and what follows it. */
function* readEscape(input: Input): Reading<string | undefined> {
  const kind = yield* input.ahead(1);
  if (kind === undefined) return undefined;
  if (sameEscapes.has(kind)) return input.take(2);
  if (kind === "'") {
    input.skip(2);
    return "'";
  }
  const digits = kind === 'u' ? 4 : kind === 'x' ? 2 : 0;
  for (let i = 0; i < digits; i++) {
    const digit = yield* input.ahead(2 + i);
    if (digit === undefined) return undefined;
    if (!/[0-9a-fA-F]/.test(digit)) return input.take(1).repeat(2);
  }
  if (digits === 4) return input.take(6);
  if (digits === 2) return `\\u00${input.take(4).slice(2)}`;
  return input.take(1).repeat(2);
}
