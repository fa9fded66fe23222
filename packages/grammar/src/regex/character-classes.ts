// The sets that escapes name, as ECMAScript has them. Properties are asked of JavaScript's own Unicode tables.
import { type CodePointSet, complement, range, setOf, setOfRanges, union } from '../characters/code-point-set.ts';
import { RegexError } from './node.ts';

export const digits = range('0', '9');
export const wordCharacters = union(range('a', 'z'), range('A', 'Z'), digits, setOf('_'));
const lineEnds = setOf('\n', '\r', '\u2028', '\u2029');
const spaces = union(
  setOf(
    '\t',
    '\n',
    '\v',
    '\f',
    '\r',
    ' ',
    '\u00a0',
    '\u1680',
    '\u2028',
    '\u2029',
    '\u202f',
    '\u205f',
    '\u3000',
    '\ufeff',
  ),
  range('\u2000', '\u200a'),
);
export const anyButLineEnds = complement(lineEnds);

/** `\d \D \w \W \s \S` */
export function shorthand(letter: string): CodePointSet | undefined {
  const set = { d: digits, w: wordCharacters, s: spaces }[letter.toLowerCase()];
  return set && (letter === letter.toLowerCase() ? set : complement(set));
}

const properties = new Map<string, CodePointSet>();

/** `\p{name}`. @throws RegexError when there is no such property */
export function property(name: string): CodePointSet {
  let set = properties.get(name);
  if (!set) {
    let expression: RegExp;
    try {
      expression = new RegExp(`^\\p{${name}}$`, 'u');
    } catch {
      throw new RegexError(`\\p{${name}} is no property of characters`);
    }
    const ranges: [number, number][] = [];
    for (let codePoint = 0; codePoint <= 0x10ffff; codePoint++) {
      if (codePoint === 0xd800) codePoint = 0xe000;
      if (!expression.test(String.fromCodePoint(codePoint))) continue;
      const last = ranges.at(-1);
      if (last && last[1] === codePoint - 1) last[1] = codePoint;
      else ranges.push([codePoint, codePoint]);
    }
    set = setOfRanges(ranges);
    properties.set(name, set);
  }
  return set;
}
