import { expect, it } from 'vitest';
import { printable, printableLines } from './printable.ts';

it.each([
  ['plain text, ä, 漢字, 😀', 'plain text, ä, 漢字, 😀'],
  ['\u001b]0;title\u0007\u001b[2Jx', '\\x1b]0;title\\x07\\x1b[2Jx'],
  ['a\nb\r\tc', 'a\\nb\\r\\tc'],
  ['\u009b31m \u007f', '\\x9b31m \\x7f'],
  ['abc\u202egpj', 'abc\\u202egpj'],
  ['half \ud800 and \udc80', 'half \\ud800 and \\udc80'],
])('%j', (text, shown) => {
  expect(printable(text)).toBe(shown);
});

it('keeps lines where they are wanted', () => {
  expect(printableLines('one\n\u001btwo')).toBe('one\n\\x1btwo');
});
