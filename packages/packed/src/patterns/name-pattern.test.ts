// Module patterns: what they match (JavaScript's regular expressions are the reference), what they cost, what is refused.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { namePattern, WorkBudget } from './name-pattern.ts';

const matches = (pattern: string, name: string) => namePattern(pattern).matches(name, new WorkBudget());

it.each([
  ['.*self_attn.(q|k|v|o)_proj$', 'model.layers.0.self_attn.q_proj', true],
  ['.*self_attn.(q|k|v|o)_proj$', 'model.layers.0.self_attn.q_proj_norm', false],
  ['model\\.layers\\.(0|1[0-9]?)\\.mlp', 'model.layers.17.mlp.up_proj', true],
  ['model\\.layers\\.(0|1[0-9]?)\\.mlp', 'model.layers.2.mlp.up_proj', false],
  ['.*mlp\\.experts\\.\\d+\\.(gate|up|down)_proj', 'model.layers.3.mlp.experts.41.down_proj', true],
  ['(?P<side>vision|audio)_tower[^.]*\\..{2,}', 'vision_tower_2.fc', true],
  ['mlp', 'model.mlp', false],
  ['', 'anything', true],
  ['(a*)*b', 'aaab', true],
  ['(a|b*)*?c{2}', 'abbacc', true],
  ['[]a]+$', 'a]a', true],
  ['x{,2}y', 'xxy', true],
])('%s and %s: %s', (pattern, name, expected) => {
  expect(matches(pattern, name)).toBe(expected);
});

it('matches what a JavaScript regular expression matches', () => {
  const atom = fc.constantFrom('a', 'b', '.', '\\.', '[ab]', '[^a.]', '\\d', '\\W', '^', '$');
  const { pattern } = fc.letrec<{ pattern: string }>((tie) => {
    const quantified = fc
      .tuple(fc.constantFrom('a', 'b', '.', '[ab1]'), fc.constantFrom('*', '+', '?', '{2}', '{1,2}', '{1,}', '*?'))
      .map((parts) => parts.join(''));
    const joined = fc.array(tie('pattern'), { minLength: 1, maxLength: 3 });
    return {
      pattern: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        atom,
        quantified,
        joined.map((parts) => parts.join('')),
        joined.map((parts) => `(${parts.join('|')})`),
        fc
          .tuple(joined, fc.constantFrom('*', '+', '?', '{0,2}'))
          .map(([parts, count]) => `(?:${parts.join('')})${count}`),
      ),
    };
  });
  const name = fc.string({ unit: fc.constantFrom('a', 'b', '.', '1'), maxLength: 8 });
  fc.assert(
    fc.property(pattern, name, (text, subject) => {
      expect(matches(text, subject)).toBe(new RegExp(`^(?:${text})`).test(subject));
    }),
    { numRuns: 2000 },
  );
});

// A backtracking matcher takes 2^length steps for most of these.
it.each(['(a+)+$', '(a*)*$', '(a|a)*$', '(a|aa)+$', '(.*a){12}$', '(?:a?){30}a{30}$', '(((a+)+)+)+$'])(
  '%s takes no more steps than states and characters',
  (text) => {
    const pattern = namePattern(text);
    const name = `${'a'.repeat(2000)}!`;
    const budget = new WorkBudget();
    const before = budget.steps;
    expect(pattern.matches(name, budget)).toBe(false);
    expect(before - budget.steps).toBeLessThanOrEqual(pattern.states * (name.length + 1));
  },
);

it('stops when all names and patterns together take too long', () => {
  const pattern = namePattern('(.*a){12}$');
  const budget = new WorkBudget(100_000);
  expect(() => {
    for (let i = 0; i < 100; i++) pattern.matches('a'.repeat(200) + i, budget);
  }).toThrow(expect.objectContaining({ code: 'packed-pattern-too-costly', file: 'config.json' }));
});

describe('is refused by name:', () => {
  it.each([
    ['(a)\\1', 'a backreference'],
    ['(?P<x>a)(?P=x)', 'a backreference'],
    ['(?!.*vision).*', 'a lookaround'],
    ['(?=a)*', 'a lookaround'],
    ['(?<=a)b', 'a lookaround'],
    ['(?i)linear', 'flags'],
    ['\\bmlp', '\\\\b|\\b'],
    ['a**', 'a quantifier of a quantifier'],
    ['a++', 'a quantifier of a quantifier'],
    ['^*', 'a quantifier of an anchor'],
    ['*a', 'repeats nothing'],
    ['(a', 'not closed'],
    ['a)', 'too many'],
    ['[a', 'no end'],
    ['a\\', 'no end'],
    ['[z-a]', 'the range'],
    ['[[:alpha:]]', 'POSIX'],
    ['a{5,2}', 'a count'],
    ['a{2000}', 'a count'],
    ['((a{100}){100}){100}', 'states'],
    ['('.repeat(60) + ')'.repeat(60), 'deep'],
    ['a'.repeat(1001), '1001 characters'],
  ])('%s', (pattern, what) => {
    expect(() => namePattern(pattern)).toThrow(
      expect.objectContaining({ code: 'packed-pattern-refused', message: expect.stringContaining(what.split('|')[0]) }),
    );
  });
});
