// Against JavaScript's own RegExp.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ByteAutomaton } from '../expression.ts';
import { acceptsText, complementOf } from './automaton.ts';
import { jsonStringAutomaton } from './bytes.ts';
import { searchAutomaton } from './compile.ts';

const texts = fc.string({
  unit: fc.constantFrom('a', 'b', '1', ' ', '_', 'é', '😀', '\n', '"', '\\', '\u0001', '-'),
  maxLength: 8,
});

const atoms = fc.constantFrom(
  'a',
  'b',
  '1',
  '.',
  '\\d',
  '\\w',
  '\\W',
  '\\s',
  '\\S',
  '[ab]',
  '[^a1]',
  '[\\d_-]',
  'é',
  '😀',
  '\\p{L}',
  '\\u{1F600}',
  '"',
  '\\\\',
  '\\n',
  '[^\\W\\d]',
  '\\b',
  '\\B',
);
const expressions = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4 },
    atoms,
    fc.array(tie('node'), { maxLength: 3 }).map((parts) => parts.join('')),
    fc.array(tie('node'), { minLength: 1, maxLength: 3 }).map((parts) => `(?:${parts.join('|')})`),
    fc
      .tuple(tie('node'), fc.constantFrom('*', '+', '?', '{2}', '{1,3}', '{0,2}', '{2,}', '*?'))
      .map(([part, times]) => `(${part})${times}`),
  ),
})).node;
const anchored = fc
  .tuple(fc.constantFrom('', '^'), expressions, fc.constantFrom('', '$'))
  .map((parts) => parts.join(''));

/** Tried at each character, as the standard says: V8's own search also tries the middle of a pair of surrogates, where `\B` matches. */
function isFound(expression: RegExp, text: string): boolean {
  let at = 0;
  return ['', ...text].some((character) => {
    expression.lastIndex = at += character.length;
    return expression.test(text);
  });
}

function agree(pattern: string, all: readonly string[]): void {
  const automaton = searchAutomaton(pattern);
  const others = complementOf(automaton);
  const expression = new RegExp(pattern, 'uy');
  for (const text of all) {
    const found = isFound(expression, text);
    expect(acceptsText(automaton, text), `${pattern} ${JSON.stringify(text)}`).toBe(found);
    expect(acceptsText(others, text)).toBe(!found);
  }
}

describe('expressions', () => {
  it('match the texts that RegExp matches', () => {
    fc.assert(
      fc.property(anchored, fc.array(texts, { minLength: 5 }), (pattern, all) => {
        agree(pattern, all);
      }),
      { numRuns: 60 },
    );
  });

  it('with lookahead too', () => {
    const lookaheads = fc
      .tuple(
        fc.constantFrom('', '^', '^a?', 'b'),
        fc.constantFrom('?=', '?!'),
        expressions.filter((e) => !/\\[bB]/.test(e)),
        fc.constantFrom('', '$'),
        expressions.filter((e) => !/\\[bB]/.test(e)),
        fc.constantFrom('', '$'),
      )
      .map(([before, kind, inner, innerEnd, rest, end]) => `${before}(${kind}${inner}${innerEnd})${rest}${end}`);
    fc.assert(
      fc.property(lookaheads, fc.array(texts, { minLength: 5 }), (pattern, all) => {
        agree(pattern, all);
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    ['^(?=.*\\d)(?=.*[a-z]).{3,}$', ['a1b', 'ab', '111', 'abc1']],
    ['^(?!(?:con|prn)$)[a-z]+$', ['con', 'cone', 'prn', 'x', '']],
    ['^[\\w.-]+@[a-z]+\\.[a-z]{2,}$', ['a.b-c@host.org', 'a@b', '@host.org']],
    ['foo|^bar$', ['a foo b', 'bar', 'a bar']],
    ['^\\/(?<name>[^/]+)\\/$', ['/a/', '//', '/a/b/']],
    ['^\\ud83d\\ude00$', ['😀', 'x']],
    ['^[^]*$', ['a\nb']],
    ['\\x41\\u0042\\cJ', ['AB\n', 'AB']],
  ])('%s', (pattern, all) => {
    agree(pattern, all);
  });

  it.each([
    '(a)\\1',
    '(?<=a)b',
    'a{2,1}',
    '(a',
    'a)',
    '[b-a]',
    '*',
    '\\p{Nonsense}',
    '(?:(?=a)b)+',
    '\\i',
    '(a|b)*a(a|b){20}',
    'a{100000}',
    '(?i)a',
    `${'('.repeat(200)}a`,
  ])('refuses %s', (pattern) => {
    expect(() => searchAutomaton(pattern)).toThrow();
  });
});

describe('inside a JSON string', () => {
  const encoder = new TextEncoder();
  const accepts = ({ states }: ByteAutomaton, literal: string): boolean => {
    let state = 0;
    for (const byte of encoder.encode(literal)) {
      const edges = states[state]!.edges.filter(([low, high]) => low <= byte && byte <= high);
      expect(edges.length).toBeLessThanOrEqual(1); // deterministic
      if (edges.length === 0) return false;
      state = edges[0]![2];
    }
    return states[state]!.final;
  };

  it('reads what JSON.stringify writes of the texts that match', () => {
    fc.assert(
      fc.property(anchored, fc.array(texts, { minLength: 5 }), (pattern, all) => {
        const automaton = jsonStringAutomaton(searchAutomaton(pattern));
        for (const text of all)
          expect(accepts(automaton, JSON.stringify(text).slice(1))).toBe(isFound(new RegExp(pattern, 'uy'), text));
      }),
      { numRuns: 50 },
    );
  });
});
