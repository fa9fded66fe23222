// What a hostile schema can cost is bounded, and what an honest one costs grows with its size. Counted in steps, not by a clock.
import { QuernError } from '@quern/errors';
import { describe, expect, it } from 'vitest';
import { jsonSchemaScope } from './json-schema/compile.ts';
import { programOf } from './machine/lower.ts';
import { Automaton, GrammarMatcher } from './matcher.ts';
import { compileGrammar } from './source.ts';
import { TokenTrie } from './tokens/token-trie.ts';
import { boundedWork, maxSteps } from './work.ts';

const trie = new TokenTrie(Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)));
const times = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));
const named = (count: number, make: (i: number) => unknown) =>
  Object.fromEntries(times(count, (i) => [`name_${i}`, make(i)]));

function stepsOf(schema: unknown): number {
  return boundedWork(() => programOf(jsonSchemaScope(schema), 'root')).steps;
}

function accepts(schema: unknown, value: unknown): boolean {
  const matcher = new GrammarMatcher(new Automaton(compileGrammar({ kind: 'json-schema', schema }), trie));
  return matcher.acceptBytes(new TextEncoder().encode(JSON.stringify(value))) && matcher.complete;
}

function refusal(schema: unknown): QuernError {
  try {
    compileGrammar({ kind: 'json-schema', schema });
  } catch (error) {
    if (error instanceof QuernError) return error;
    throw error;
  }
  throw new Error('It was compiled.');
}

/** Each level refers to the next one twice. */
const chain = (levels: number, level: (reference: { $ref: string }, i: number) => unknown) => ({
  $defs: {
    ...Object.fromEntries(times(levels, (i) => [`a${i}`, level({ $ref: `#/$defs/a${i + 1}` }, i)])),
    [`a${levels}`]: { type: 'object', properties: { kind: { const: 'last' } }, required: ['kind'] },
  },
  $ref: '#/$defs/a0',
});
const tagged = (count: number) => ({
  oneOf: times(count, (i) => ({
    type: 'object',
    properties: { kind: { const: `kind ${i}` }, text: { type: 'string' }, [`n${i}`]: { type: 'integer' } },
    required: ['kind'],
    additionalProperties: false,
  })),
});

describe('compiling', () => {
  it('compares two schemas once, however often they refer to each other', () => {
    const schema = (levels: number) => chain(levels, (next, i) => ({ oneOf: [next, { const: `level ${i}` }] }));
    const few = stepsOf(schema(10));
    const more = stepsOf(schema(20));
    const most = stepsOf(schema(40));
    expect(more - few).toBeLessThan(100_000);
    expect(most - more).toBeLessThan(20 * (more - few));
    expect(accepts(schema(40), { kind: 'last' })).toBe(true);
    expect(accepts(schema(40), { kind: 'other' })).toBe(false);
  });

  it.each([25, 300])('ends for oneOf of a schema and its opposite, %i levels deep', (levels) => {
    const { code } = refusal(chain(levels, (next) => ({ oneOf: [next, { not: next }] })));
    expect(['schema-unsupported', 'grammar-too-much-work']).toContain(code);
  });

  it('ends where comparing leads back to itself', () => {
    const schema = {
      $defs: {
        a: {
          oneOf: [
            { type: 'string' },
            { type: 'object', properties: { kind: { const: 'x' }, in: { $ref: '#/$defs/a' } }, required: ['kind'] },
            { type: 'object', properties: { kind: { const: 'y' }, in: { $ref: '#/$defs/a' } }, required: ['kind'] },
          ],
        },
      },
      $ref: '#/$defs/a',
    };
    expect(accepts(schema, { kind: 'x', in: { kind: 'y', in: 'end' } })).toBe(true);
    expect(accepts(schema, { kind: 'x', in: { kind: 'z', in: 'end' } })).toBe(false);
  });

  it.each<[string, object, unknown, unknown]>([
    ['a oneOf of 400 tagged objects', tagged(400), { kind: 'kind 399', n399: 1 }, { kind: 'kind 399', n398: 1 }],
    [
      '1000 optional properties',
      { type: 'object', properties: named(1000, () => ({ type: 'string' })), additionalProperties: false },
      { name_0: 'a', name_999: 'b' },
      { name_1000: 'a' },
    ],
    [
      '60 tools',
      {
        anyOf: times(60, (i) => ({
          type: 'object',
          properties: {
            name: { const: `tool ${i}` },
            arguments: {
              type: 'object',
              properties: named(8, (j) =>
                j % 2 === 0 ? { type: 'string', maxLength: 200 } : { type: 'integer', minimum: i, maximum: 1000 },
              ),
              required: ['name_0', 'name_1'],
              additionalProperties: false,
            },
          },
          required: ['name', 'arguments'],
          additionalProperties: false,
        })),
      },
      { name: 'tool 59', arguments: { name_0: 'a', name_1: 59 } },
      { name: 'tool 59', arguments: { name_0: 'a', name_1: 58 } },
    ],
  ])('takes half of what is allowed at most: %s', (_, schema, valid, invalid) => {
    expect(stepsOf(schema)).toBeLessThan(maxSteps / 2);
    expect(accepts(schema, valid)).toBe(true);
    expect(accepts(schema, invalid)).toBe(false);
  });

  it('grows with the number of properties, not with its square', () => {
    const open = (count: number) => ({ type: 'object', properties: named(count, (i) => ({ minLength: i })) });
    const base = stepsOf(open(100));
    expect(stepsOf(open(400))).toBeLessThan(5 * base);
  });

  it('costs the same when parts of it are known already', () => {
    const schema = { type: 'object', properties: named(20, (i) => ({ pattern: `^known ${i}$`, minimum: i + 0.5 })) };
    expect(stepsOf(schema)).toBe(stepsOf(schema));
  });

  it.each<[string, unknown, RegExp]>([
    ['bounds of numbers', { properties: named(3000, (i) => ({ type: 'number', minimum: i })) }, /bounds of numbers/],
    ['patterns', { type: 'string', pattern: '^\\p{L}{1,3000}$' }, /patterns/],
    ['oneOf', { oneOf: times(3000, (i) => ({ required: [`k${i}`] })) }, /oneOf/],
    ['enum', { oneOf: times(200, (i) => ({ enum: times(2000, (j) => `${i} ${j}`) })) }, /enum/],
    ['rules', { enum: times(100_000, (i) => `value ${i}`) }, /rules/],
  ])('too much is refused with what it is spent on: %s', (_, schema, what) => {
    const { code, message } = refusal(schema);
    expect(code).toBe('grammar-too-much-work');
    expect(message).toMatch(what);
  });

  it.each<[string, unknown]>([
    ['schemas', times(5000, () => 0).reduce((inner: unknown) => ({ items: inner }), {})],
    ['a constant', { const: times(5000, () => 0).reduce((inner: unknown) => [inner], 1) }],
    ['a default', { default: times(5000, () => 0).reduce((inner: unknown) => [inner], 1) }],
  ])('what nests without end is refused: %s', (_, schema) => {
    expect(refusal(schema).message).toMatch(/nests deeper/);
  });
});

describe('a text', () => {
  it('has no more white space than llama.cpp allows', () => {
    const matcher = new GrammarMatcher(new Automaton(compileGrammar({ kind: 'json-object' }), trie));
    const encoder = new TextEncoder();
    expect(matcher.fork().acceptBytes(encoder.encode(`{\n\n${' '.repeat(20)}"a": 1}`))).toBe(true);
    expect(matcher.fork().acceptBytes(encoder.encode(`{\n${' '.repeat(21)}`))).toBe(false);
    expect(matcher.fork().acceptBytes(encoder.encode('{\n\n\n'))).toBe(false);
    expect(matcher.fork().acceptBytes(encoder.encode('{  '))).toBe(false);
  });

  it.each([{ type: [] }, { not: { type: [] } }])('%j: the empty list of types is named', (schema) => {
    expect(refusal(schema).message).toMatch(/list of types is empty/);
  });

  it.each([{ type: 'text' }, { not: { type: ['string', 'text'] } }])('%j: what is no type is named', (schema) => {
    expect(refusal(schema).message).toMatch(/"text" is no type/);
  });

  it('is no number that reads as an integer where integers are excluded', () => {
    const schema = { oneOf: [{ type: 'number', exclusiveMinimum: 0 }, { type: ['null', 'integer'] }] };
    expect(accepts(schema, 0.5)).toBe(true);
    expect(accepts(schema, 1234.0625)).toBe(true);
    const matcher = new GrammarMatcher(new Automaton(compileGrammar({ kind: 'json-schema', schema }), trie));
    expect(Number.isInteger(Number('239104751211882490.11'))).toBe(true);
    expect(matcher.acceptBytes(new TextEncoder().encode('239104751211882490.11'))).toBe(false);
  });
});
