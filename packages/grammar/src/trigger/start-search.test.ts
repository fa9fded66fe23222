// Against RegExp on the text so far: where it first matches, and where its first group, or the match, begins.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SearchPlace, StartSearch } from './start-search.ts';
import { startersOf } from './starter.ts';

const patterns = [
  '<call>',
  '(<call>)',
  'a+(b)',
  '^a',
  '^\\s*(b[ab]*c)',
  'x|a(b)|(c)a',
  '^(?:ab)*(c)$',
  '[ab]+c',
  'b(?:a|c)(?:x)?(<)',
  '(é+)x',
];

/** What RegExp says of every longer beginning of the text; a byte at a time would cut characters, which no match ends in. */
function byRegExp(pattern: string, text: string): { read: string; end: number } | undefined {
  const regExp = new RegExp(pattern, 'du');
  const characters = [...text];
  for (let length = 1; length <= characters.length; length++) {
    const beginning = characters.slice(0, length).join('');
    const match = regExp.exec(beginning);
    if (!match || match[0] === '') continue;
    const group = match.indices!.slice(1).find((range) => range && range[1] > range[0]);
    return { read: beginning.slice((group ?? match.indices![0]!)[0]), end: length };
  }
  return undefined;
}

function bySearch(pattern: string, text: string): { read: string; end: number } | undefined {
  const place = new SearchPlace(new StartSearch(startersOf({ patterns: [pattern] })));
  const characters = [...text];
  for (const [i, character] of characters.entries())
    for (const byte of new TextEncoder().encode(character)) {
      const begun = place.read(byte);
      if (begun) return { read: new TextDecoder('utf-8', { fatal: true }).decode(begun), end: i + 1 };
    }
  return undefined;
}

it.each(patterns)('finds %s where RegExp does', (pattern) => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('a', 'b', 'c', 'x', '<', '<call>', '<ca', ' ', 'é'), { maxLength: 9 }),
      (parts) => {
        const text = parts.join('');
        expect(bySearch(pattern, text), text).toEqual(byRegExp(pattern, text));
      },
    ),
    { numRuns: 400 },
  );
});

it.each([
  ['(a', 'parenthes|without'],
  ['(ab)+c', 'first group'],
  ['a\\bb', 'looks back'],
  ['(?:^|a)b', 'looks back'],
  ['(?<=a)b', 'lookbehind'],
  [`(${'(?:a|b)*a(?:a|b){12}'.repeat(3)})`, 'steps'],
])('refuses %s', (pattern, why) => {
  expect(() => startersOf({ patterns: [pattern] })).toThrow(new RegExp(why));
});
