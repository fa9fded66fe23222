// Names for characters: escapes, shorthands and properties, as JavaScript's sets (flag u) have them.

import { ExpressionError, type ExpressionReader } from './reader.ts';

/** `\s`, `\d`, `\w`, `\h`; in upper case all others. */
export const shorthands: Readonly<Record<string, readonly string[]>> = {
  s: ['\\p{White_Space}'],
  d: ['\\p{Nd}'],
  w: ['\\p{L}', '\\p{M}', '\\p{N}', '\\p{Pc}'],
  h: ['0-9', 'a-f', 'A-F'],
};
const brackets: Readonly<Record<string, readonly string[]>> = {
  ...{ space: shorthands.s!, digit: shorthands.d!, word: shorthands.w!, alpha: ['\\p{Alphabetic}'] },
  ...{ alnum: ['\\p{Alphabetic}', '\\p{Nd}'], upper: ['\\p{Uppercase}'], lower: ['\\p{Lowercase}'] },
  ...{ punct: ['\\p{P}', '$+<=>^`|~'], xdigit: shorthands.h! },
};
const controls: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, f: 12, v: 11, a: 7, e: 27, 0: 0 };

/** The character behind a backslash, `\x41` and `A` among them. */
export function escapedCharacter(reader: ExpressionReader, character: string): string {
  const [, long, short] =
    (character === 'x' ? reader.match(/(?:\{([0-9A-Fa-f]{1,6})\}|([0-9A-Fa-f]{1,2}))/y) : undefined) ??
    (character === 'u' ? reader.match(/(?:\{([0-9A-Fa-f]{1,6})\}|([0-9A-Fa-f]{4}))/y) : undefined) ??
    [];
  if (long ?? short) return codePointLiteral(Number.parseInt(long ?? short ?? '', 16));
  const control = controls[character];
  if (control !== undefined) return codePointLiteral(control);
  if (/[A-Za-z1-9]/.test(character)) throw new ExpressionError(`\\${character} is not supported`);
  return literal(character);
}

export function bracketOf(name: string): readonly string[] {
  const members = Object.hasOwn(brackets, name) ? brackets[name] : undefined;
  if (!members) throw new ExpressionError(`[:${name}:] is not supported`);
  return members;
}

/** `\p{Han}` as JavaScript has it; `\p{^L}` is `\P{L}`. */
export function propertyOf(written: string): string {
  const [, letter, hat, name = ''] = /^([pP])\{(\^?)([^}]*)\}$/.exec(written) ?? [];
  const sign = (letter === 'P') !== (hat === '^') ? 'P' : 'p';
  for (const property of [name, `Script=${name}`]) {
    try {
      new RegExp(`\\p{${property}}`, 'u');
      return `\\${sign}{${property}}`;
    } catch {
      // The next spelling.
    }
  }
  throw new ExpressionError(`\\${letter}{${name}} is no property of characters`);
}

export function literal(character: string): string {
  if (character === '\n') return '\\n';
  if (character === '\r') return '\\r';
  if (character === '\t') return '\\t';
  return '^$\\.*+?()[]{}|/-'.includes(character) ? `\\${character}` : character;
}

export function codePointLiteral(codePoint: number): string {
  if (codePoint > 0x10ffff) throw new ExpressionError(`U+${codePoint.toString(16)} is no character`);
  return codePoint >= 0xd800 && codePoint <= 0xdfff
    ? `\\u{${codePoint.toString(16)}}`
    : literal(String.fromCodePoint(codePoint));
}
