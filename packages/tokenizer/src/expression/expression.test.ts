import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePattern } from '../pre-tokenizer/compile.ts';
import { table } from '../pre-tokenizer/table.ts';
import { compileExpression } from './matcher.ts';
import { canonical } from './node.ts';
import { parseExpression } from './parse.ts';

const matched = (expression: string, text: string): string[] => {
  const places = compileExpression(expression).matches(text);
  return Array.from({ length: places.length / 2 }, (_, i) => text.slice(places[2 * i], places[2 * i + 1]));
};

describe('expressions', () => {
  const patterns = [...new Set(table.flatMap((row) => row.patterns))]
    // `$` is the end of a line here and the end of the text in JavaScript.
    .filter((pattern) => !pattern.endsWith('$'));

  it.each(patterns)("match where JavaScript's engine matches: %s", (pattern) => {
    const text = fc.string({ unit: fc.constantFrom(..."aZé中1२Ⅷ \n\r\t.'/_$ー한\u0301\u0085\u00a0🙂"), maxLength: 30 });
    const native = compilePattern(pattern);
    const own = compileExpression(pattern);
    fc.assert(
      fc.property(text, (input) => {
        const theirs = [...input.matchAll(native)].flatMap((match) => [match.index, match.index + match[0].length]);
        expect(own.matches(input)).toEqual(theirs);
      }),
    );
  });

  // By the documentation of Oniguruma (doc/RE); JavaScript has none of these.
  it.each<[string, string, string[]]>([
    ['(?i:ab)c', 'ABc abC', ['ABc']],
    ['(?i)ab|c', 'AB C', ['AB', 'C']],
    ['a(?i)b|c', 'aB aC bC', ['aB', 'aC']],
    ['a++b|a', 'aab aa', ['aab', 'a', 'a']],
    ['a?+ab', 'aab ab', ['aab']],
    ['(?>a|ab)c', 'abc ac', ['ac']],
    ['[\\p{L}&&[^\\p{Han}]]+', 'ab中c', ['ab', 'c']],
    ['[[:digit:]_]+', '1_२ a', ['1_२']],
    ['^a$', 'a\na\nab', ['a', 'a']],
    ['\\Aa|b\\z', 'ab ab', ['a', 'b']],
    ['\\x41\\u0042\\x{43}', 'ABC', ['ABC']],
    ['(?<=[a-z])1|(?<!b)2', 'a1b2 12', ['1', '2']],
    ['a{2,}?', 'aaaaa', ['aa', 'aa']],
    ['(?<word>a+)(?#an a)b', 'aab', ['aab']],
    ['\\p{^L}+', 'ab12', ['12']],
    ['\\R', '\r\n\n', ['\r\n', '\n']],
    ['.+', 'a\rb\nc', ['a\rb', 'c']],
  ])('%s', (expression, text, words) => {
    expect(matched(expression, text)).toEqual(words);
  });

  it.each([
    ['a "(" has no ")"', '(a'],
    ['a "[" has no "]"', '[a'],
    ['nothing stands before', '*a'],
    ['is no count', 'a{3,1}'],
    ['is no property', '\\p{Klingon}'],
    ['is not supported', '(a)\\1'],
    ['repeats without end what may be empty', '(a*)*'],
    ['looks behind without a limit', '(?<=a+)b'],
    ['counts are too large', '(a{1000}){1000}'],
    ['in each other', '('.repeat(5000)],
    ['characters', 'a'.repeat(100_000)],
  ])('says what is wrong: %s', (reason, expression) => {
    expect(() => compileExpression(expression)).toThrow(
      expect.objectContaining({ code: 'pre-tokenizer-unsupported', message: expect.stringContaining(reason) }),
    );
  });

  it.each(['(a+)+$', '(?:a|a)*b', '(?:a?){200}b', '(a+a+)+b'])('gives up on %s in time', (expression) => {
    const started = process.cpuUsage();
    expect(() => compileExpression(expression).matches(`${'a'.repeat(5000)}!`)).toThrow(
      expect.objectContaining({ code: 'pre-tokenizer-too-slow', message: expect.stringContaining(expression) }),
    );
    expect(process.cpuUsage(started).user).toBeLessThan(10_000_000);
  });

  it('matches a word of a megabyte', () => {
    expect(matched('(?:\\p{L}\\p{M}*)+', 'a'.repeat(1_000_000))).toHaveLength(1);
  });
});

describe('canonical', () => {
  it.each([
    ["(?i:'s|'t)|a", "'[sS]|'[Tt]|a"],
    ['[\\r\\n]', '[\n\r]'],
    ['(?:ab)', 'ab'],
    ['a{1}', 'a'],
    ['\\x41', 'A'],
  ])('%s is %s', (left, right) => {
    expect(canonical(parseExpression(left))).toBe(canonical(parseExpression(right)));
  });

  it.each([
    ['a+', 'a++'],
    ['(?i:[a-z])', '[a-z]'],
    ['(?i:é)', 'é'],
    ['(?:a|b)c', 'a|bc'],
    ['(?=a)', '(?!a)'],
    ['^', '\\A'],
  ])('%s is not %s', (left, right) => {
    expect(canonical(parseExpression(left))).not.toBe(canonical(parseExpression(right)));
  });
});
