// A mask says of each token what reading it byte by byte says, for every grammar on one vocabulary.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Automaton, GrammarMatcher } from '../matcher.ts';
import { compileGrammar, type GrammarSource } from '../source.ts';
import { TokenMask } from './token-mask.ts';
import { TokenTrie } from './token-trie.ts';

const encoder = new TextEncoder();
/** Tokens in which several rules end: quotes, white space, brackets and names in one. */
const pieces = [
  '"',
  '":',
  '": "',
  '", "',
  '",\n  "',
  '"}',
  '"]}',
  '}',
  ']',
  '},{"',
  ': ',
  ':',
  ', ',
  ',',
  ' ',
  '\n',
  '\n    ',
  '  ',
];
const words = [
  'a',
  'ab',
  'name',
  'ame":',
  'é',
  'é"',
  '\\',
  '\\"',
  '\\u00',
  'e9',
  '1',
  '12',
  '12,',
  '.5',
  'e3}',
  'true',
  'null}',
  '</',
  '</x>',
  'x>',
];
const mixed = pieces.flatMap((piece) => words.map((word) => `${word}${piece}`));
const trie = new TokenTrie([
  ...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)),
  ...[...pieces, ...words, ...mixed, ...mixed.map((text) => `${text}${text}`), ...pieces].map((text) =>
    encoder.encode(text),
  ),
]);

const sources: GrammarSource[] = [
  { kind: 'json-schema', schema: true },
  { kind: 'json-object' },
  {
    kind: 'json-schema',
    schema: {
      type: 'object',
      properties: {
        name: { type: 'string', maxLength: 7 },
        a: { type: 'array', items: { type: ['number', 'string'] } },
        ab: {},
      },
      required: ['name'],
    },
  },
  {
    kind: 'json-schema',
    schema: {
      anyOf: ['a', 'ab', 'name'].map((name) => ({
        type: 'object',
        properties: { ab: { const: name }, [name]: { type: 'string', minLength: 2 } },
        required: ['ab'],
      })),
    },
  },
  {
    kind: 'repeat',
    item: {
      kind: 'sequence',
      parts: [
        { kind: 'choice', choices: ['a', '"', 'ab'] },
        { kind: 'bare-value', schema: { type: ['string', 'object'] }, until: ['</x>'] },
        { kind: 'text', text: '</x>' },
      ],
    },
    separator: { kind: 'regex', pattern: '[ \\n]{1,6}' },
  },
  {
    kind: 'gbnf',
    text: 'root ::= (a | b | c)*\na ::= [a-z]+ [ ]?\nb ::= "a" "b"? | "\\"" a "\\""\nc ::= "1" root "}"',
  },
];

describe('masks', () => {
  const automata = sources.map((source) => new Automaton(compileGrammar(source), trie));

  it.each(sources.map((source, i) => [i, JSON.stringify(source)] as const))('are exact: %i %.80s', (i) => {
    let state = 11;
    const random = (below: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    let compared = 0;
    for (let text = 0; text < 8; text++) {
      const matcher = new GrammarMatcher(automata[i]!);
      for (let step = 0; step < 25; step++) {
        const { allowed } = matcher;
        for (let token = 0; token < trie.vocabSize; token++) {
          if (matcher.fork().accept(token) !== allowed.has(token))
            expect.fail(
              `token ${JSON.stringify(new TextDecoder().decode(trie.bytesOf(token).slice()))} at step ${step}`,
            );
        }
        compared++;
        const tokens = [...allowed];
        if (tokens.length === 0) break;
        // Long ones lead through more rules.
        matcher.accept(tokens[tokens.length - 1 - random(Math.min(tokens.length, 1 + random(tokens.length)))]!);
      }
    }
    expect(compared).toBeGreaterThan(30);
  });

  it('hold the tokens that were added to them, in any order and in any way', () => {
    const size = 700;
    const step = fc.oneof(
      fc.record({ kind: fc.constant('add' as const), tokens: fc.array(fc.nat(size - 1), { maxLength: 120 }) }),
      fc.record({ kind: fc.constant('addAll' as const), tokens: fc.array(fc.nat(size - 1), { maxLength: 120 }) }),
      fc.record({ kind: fc.constant('remove' as const), tokens: fc.array(fc.nat(size - 1), { maxLength: 3 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 6 }), (steps) => {
        const mask = new TokenMask(size);
        const model = new Set<number>();
        for (const { kind, tokens } of steps) {
          const other = new TokenMask(size);
          for (const token of tokens) {
            if (kind === 'add') mask.add(token);
            if (kind === 'addAll') other.add(token);
            if (kind === 'remove') mask.remove(token);
            if (kind === 'remove') model.delete(token);
            else model.add(token);
          }
          mask.addAll(other);
        }
        const logits = Float32Array.from({ length: size + 5 }, (_, i) => i);
        mask.apply(logits);
        const kept = [...logits].flatMap((logit, i) => (logit === Number.NEGATIVE_INFINITY ? [] : [i]));
        const sorted = [...model].sort((a, b) => a - b);
        expect(kept).toEqual(sorted);
        expect([...mask]).toEqual(sorted);
        expect(mask.empty).toBe(model.size === 0);
        expect(
          Array.from({ length: size }, (_, token) => mask.has(token)).every((has, token) => has === model.has(token)),
        ).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});
