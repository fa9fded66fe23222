// Against ajv, which knows nothing of grammars: no text that masks allow is refused by it, and what it takes is allowed.
import { QuernError } from '@quern/errors';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Automaton, GrammarMatcher } from '../matcher.ts';
import { compileGrammar } from '../source.ts';
import { TokenTrie } from '../tokens/token-trie.ts';

const encoder = new TextEncoder();
const words = [
  '{"',
  '":',
  '": ',
  '", "',
  '"}',
  ', ',
  '[',
  ']',
  'true',
  'null',
  '12',
  '0.',
  'ab',
  'name',
  'é',
  '\\u00',
  '-1',
  '  ',
];
const trie = new TokenTrie([
  ...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)),
  ...words.map((word) => encoder.encode(word)),
]);
const ajv = new Ajv2020({ strict: false, multipleOfPrecision: 12 });
(addFormats as unknown as (ajv: Ajv2020) => void)(ajv);

const automatonOf = (schema: unknown) => new Automaton(compileGrammar({ kind: 'json-schema', schema }), trie);
function reads(automaton: Automaton, text: string): boolean {
  const matcher = new GrammarMatcher(automaton);
  return matcher.acceptBytes(encoder.encode(text)) && matcher.complete;
}

/** What a model without any idea would write: tokens at random, and the end as soon as it may. */
function randomText(automaton: Automaton, random: () => number): string | undefined {
  const matcher = new GrammarMatcher(automaton);
  const bytes: number[] = [];
  for (let step = 0; step < 1500; step++) {
    const allowed = [...matcher.allowed];
    if (matcher.complete && (allowed.length === 0 || random() < 0.5))
      return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(bytes));
    expect(allowed.length, `stuck behind ${new TextDecoder().decode(Uint8Array.from(bytes))}`).toBeGreaterThan(0);
    // Closing is preferred, so that texts end.
    const closing = allowed.filter((token) => '"]}'.includes(String.fromCharCode(token)));
    const token = closing.length > 0 && random() < 0.4 ? closing[0]! : allowed[Math.floor(random() * allowed.length)]!;
    expect(matcher.accept(token)).toBe(true);
    bytes.push(...trie.tokenBytes[token]!);
  }
  return undefined;
}

function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Sound on random texts. Returns how many were finished. */
function checkTexts(schema: object | boolean, count: number, seed = 1): number {
  const automaton = automatonOf(schema);
  const validate = ajv.compile(schema);
  let finished = 0;
  for (let i = 0; i < count; i++) {
    const text = randomText(automaton, randomOf(seed + i));
    if (text === undefined) continue;
    finished++;
    expect(validate(JSON.parse(text)), `${text} under ${JSON.stringify(schema)}`).toBe(true);
  }
  return finished;
}

/** A literal key would make the object a promise for linters. */
const then = 'then';
const cases: [string, object | boolean, unknown[], unknown[]][] = [
  ['anything', true, [1, 'a', null, { a: [true] }, [[]], -1.5e300], []],
  ['types', { type: ['string', 'null'] }, ['a', null], [1, {}]],
  ['values', { enum: ['a', 1, null, { b: [1] }] }, ['a', 1, null, { b: [1] }], ['b', 2, { b: [] }]],
  [
    'values that fit',
    { enum: ['a', 'bbb', 7, { x: 1 }], minLength: 2, maximum: 5, properties: { x: false } },
    ['bbb'],
    ['a', 7, { x: 1 }],
  ],
  ['lengths', { type: 'string', minLength: 2, maxLength: 3 }, ['ab', '😀😀', 'é"\n'], ['a', 'abcd', '😀']],
  ['long texts', { type: 'string', minLength: 1, maxLength: 65536 }, ['x'.repeat(65536)], ['', 'x'.repeat(65537)]],
  [
    'a pattern and a length',
    { type: 'string', pattern: '^(ab)+$', minLength: 3, maxLength: 5 },
    ['abab'],
    ['ab', 'ababab', 'aba'],
  ],
  ['a pattern somewhere', { type: 'string', pattern: '\\d' }, ['a1b', '1'], ['ab', '']],
  [
    'a counted pattern',
    { type: 'string', pattern: '^[a-z]{3,4000}$' },
    ['abc', 'x'.repeat(4000)],
    ['ab', 'x'.repeat(4001), 'abC'],
  ],
  [
    'a date',
    { type: 'string', format: 'date' },
    ['2024-02-29', '1999-12-31'],
    ['2023-02-29', '2024-13-01', '24-01-01'],
  ],
  [
    'an address',
    { type: 'string', format: 'ipv6' },
    ['::1', '1:2:3:4:5:6:7:8', '::ffff:1.2.3.4'],
    ['1::2::3', ':1', '12345::'],
  ],
  [
    'a host',
    { type: 'string', format: 'hostname' },
    ['a.example', 'x'.repeat(63)],
    ['-a', 'x'.repeat(64), `${'a.'.repeat(126)}ab`],
  ],
  ['integers', { type: 'integer', minimum: -3, exclusiveMaximum: 12, multipleOf: 3 }, [-3, 0, 9], [-6, 1, 12]],
  ['decimals', { type: 'number', exclusiveMinimum: 0.5, maximum: 1.25 }, [0.51, 1, 1.25], [0.5, 1.26, 2]],
  ['prices', { type: 'number', multipleOf: 0.01, minimum: 0 }, [0.07, 12.5, 3], [0.075, -1]],
  ['older bounds', { type: 'integer', minimum: 0, exclusiveMinimum: 0 }, [1], [0]],
  [
    'objects',
    {
      type: 'object',
      properties: { a: { type: 'integer' }, b: { type: 'string' } },
      required: ['b'],
      additionalProperties: false,
    },
    [{ b: 'x' }, { a: 1, b: 'x' }],
    [{ a: 1 }, { b: 'x', c: 1 }, {}],
  ],
  [
    'names by pattern',
    {
      type: 'object',
      patternProperties: { '^n': { type: 'number' }, x$: { minimum: 5 } },
      additionalProperties: { type: 'boolean' },
    },
    [{ n: 1 }, { nx: 6 }, { x: 'y' }, { other: true }],
    [{ n: 'a' }, { nx: 4 }, { other: 1 }],
  ],
  [
    'names',
    { type: 'object', propertyNames: { pattern: '^[a-c]+$', maxLength: 2 } },
    [{ a: 1, bc: 2 }],
    [{ d: 1 }, { abc: 1 }],
  ],
  [
    'names by reference',
    {
      type: 'object',
      propertyNames: { anyOf: [{ $ref: '#/$defs/short' }, { enum: ['name'] }], not: { const: 'b' } },
      $defs: { short: { type: 'string', maxLength: 1 } },
    },
    [{}, { a: 1, name: 2 }],
    [{ b: 1 }, { ab: 1 }],
  ],
  [
    'not all names, by reference',
    { type: 'object', not: { propertyNames: { $ref: '#/$defs/short' } }, $defs: { short: { maxLength: 1 } } },
    [{ ab: 1 }, { a: 1, ab: 2 }],
    [{}, { a: 1 }],
  ],
  ['no names', { type: 'object', propertyNames: { type: 'integer' } }, [{}], [{ a: 1 }]],
  [
    'counts of names',
    {
      type: 'object',
      properties: { a: true, b: true, c: true },
      minProperties: 2,
      maxProperties: 2,
      additionalProperties: false,
    },
    [
      { a: 1, b: 1 },
      { b: 1, c: 1 },
    ],
    [{ a: 1 }, { a: 1, b: 1, c: 1 }],
  ],
  [
    'arrays',
    {
      type: 'array',
      prefixItems: [{ type: 'integer' }, { type: 'string' }],
      items: { type: 'boolean' },
      minItems: 1,
      maxItems: 3,
    },
    [[1], [1, 'a'], [1, 'a', true]],
    [[], ['a'], [1, 'a', 2], [1, 'a', true, true]],
  ],
  [
    'one that is contained',
    { type: 'array', items: { type: 'integer' }, contains: { minimum: 5 } },
    [[1, 7], [5]],
    [[], [1, 2], ['a', 7]],
  ],
  [
    'one that is contained, among a number of items',
    {
      type: 'array',
      prefixItems: [{ type: 'boolean' }],
      items: { type: 'integer' },
      contains: { type: 'integer', minimum: 5 },
      minItems: 2,
      maxItems: 3,
    },
    [
      [true, 7],
      [true, 1, 5],
      [false, 5, 1],
    ],
    [[true], [true, 1], [true, 1, 2, 5], [7, 7]],
  ],
  [
    'two or three that are contained',
    { type: 'array', items: { enum: ['a', 'b', 1] }, contains: { type: 'string' }, minContains: 2, maxContains: 3 },
    [
      ['a', 'b'],
      ['a', 1, 1, 'a', 1, 'b'],
    ],
    [['a'], [1, 1], ['a', 'a', 'b', 'b']],
  ],
  [
    'a few values once each',
    { type: 'array', items: { enum: ['a', 1, null] }, uniqueItems: true, minItems: 2 },
    [
      ['a', 1],
      [null, 'a', 1],
    ],
    [['a'], [1, 1], ['a', 1, 'a']],
  ],
  [
    'truths once each',
    { type: 'array', items: { type: 'boolean' }, uniqueItems: true },
    [[], [true], [false, true]],
    [
      [true, true],
      [true, false, true],
    ],
  ],
  [
    'many values once each, in their order',
    { type: 'array', items: { enum: [...'abcdefghij'] }, uniqueItems: true, minItems: 1, maxItems: 3 },
    [['a'], ['b', 'c', 'j']],
    [[], ['a', 'a'], ['a', 'b', 'c', 'd']],
  ],
  [
    'not all members of a kind',
    {
      type: 'object',
      properties: { a: { type: 'integer' } },
      not: { properties: { a: true }, additionalProperties: { type: 'string' } },
    },
    [{ b: 1 }, { a: 1, b: 'x', c: 2 }, { b: 'x', b2: null }],
    [{}, { a: 1 }, { b: 'x' }, { a: 1, b: 'x' }],
  ],
  [
    'not closed',
    { type: 'object', properties: { a: true, b: true }, not: { properties: { a: true }, additionalProperties: false } },
    [{ b: 1 }, { a: 1, b: 1 }, { a: 1, c: 1 }],
    [{}, { a: 1 }],
  ],
  [
    'not all names',
    { type: 'object', not: { propertyNames: { pattern: '^a' } } },
    [{ b: 1 }, { ab: 1, c: 2 }],
    [{}, { a: 1 }, { ab: 1, a: 2 }],
  ],
  [
    'not by pattern',
    { type: 'object', not: { patternProperties: { '^a': { type: 'integer' } } } },
    [{ ab: 'x' }, { b: 1, a: null }],
    [{}, { a: 1 }, { b: 'x' }],
  ],
  ['not all items', { type: 'array', not: { items: { type: 'integer' } } }, [['a'], [1, 'a', 2]], [[], [1], [1, 2]]],
  [
    'not the leading items',
    { type: 'array', not: { prefixItems: [{ type: 'integer' }, { type: 'string' }] } },
    [['a'], [1, 2]],
    [[], [1], [1, 'a'], [1, 'a', 2]],
  ],
  ['nothing contained', { type: 'array', not: { contains: { type: 'string' } } }, [[], [1, null]], [['a'], [1, 'a']]],
  ['no multiple', { type: 'integer', not: { multipleOf: 3 } }, [1, 2, -4, 100], [0, 3, -9, 99]],
  [
    'none or both',
    { not: { oneOf: [{ type: 'integer' }, { minimum: 2, type: 'number' }] } },
    ['a', 1.5, 2, 7],
    [1, 2.5],
  ],
  [
    'not if',
    { type: ['integer', 'string'], not: { if: { type: 'integer' }, [then]: { minimum: 3 }, else: { minLength: 2 } } },
    [2, 'a'],
    [3, 'ab'],
  ],
  [
    'not dependent',
    { type: 'object', properties: { a: true, b: true }, not: { dependentRequired: { a: ['b'] } } },
    [{ a: 1 }, { a: 1, c: 2 }],
    [{}, { b: 1 }, { a: 1, b: 2 }],
  ],
  [
    'not what is referred to',
    { $defs: { a: { type: 'integer' } }, not: { $ref: '#/$defs/a', minimum: 3 } },
    [1, 'a', 2.5],
    [3, 10],
  ],
  [
    'all of',
    {
      allOf: [{ properties: { a: { minimum: 1 } } }, { properties: { a: { maximum: 3 } }, required: ['a'] }],
      type: 'object',
    },
    [{ a: 2 }],
    [{ a: 0 }, { a: 4 }, {}],
  ],
  [
    'one of, apart by a value',
    {
      oneOf: [
        {
          type: 'object',
          properties: { k: { const: 'a' }, x: { type: 'integer' } },
          required: ['k', 'x'],
          additionalProperties: false,
        },
        { type: 'object', properties: { k: { const: 'b' } }, required: ['k'] },
      ],
    },
    [
      { k: 'a', x: 1 },
      { k: 'b', x: 'y' },
    ],
    [{ k: 'a' }, { k: 'c' }],
  ],
  [
    'one of two that overlap',
    {
      oneOf: [
        { type: 'string', pattern: 'a' },
        { type: 'string', minLength: 3 },
      ],
    },
    ['a', 'bbb'],
    ['aaa', 'b'],
  ],
  [
    'one property of two',
    { type: 'object', oneOf: [{ required: ['a'] }, { required: ['b'] }] },
    [{ a: 1 }, { b: 1 }],
    [{ a: 1, b: 1 }, {}],
  ],
  ['not', { type: 'string', not: { enum: ['a', 'b'] } }, ['', 'ab', 'c'], ['a', 'b']],
  [
    'if',
    {
      type: 'object',
      properties: { k: { enum: ['x', 'y'] }, v: true },
      required: ['k'],
      if: { properties: { k: { const: 'x' } } },
      [then]: { required: ['v'] },
      else: { properties: { v: false } },
    },
    [{ k: 'x', v: 1 }, { k: 'y' }],
    [{ k: 'x' }, { k: 'y', v: 1 }],
  ],
  [
    'what depends',
    { type: 'object', properties: { a: true, b: true }, dependentRequired: { a: ['b'] } },
    [{ b: 1 }, { a: 1, b: 1 }, {}],
    [{ a: 1 }],
  ],
  [
    'recursion',
    {
      $ref: '#/$defs/tree',
      $defs: {
        tree: {
          type: 'object',
          properties: { value: { type: 'integer' }, children: { type: 'array', items: { $ref: '#/$defs/tree' } } },
          required: ['value'],
          additionalProperties: false,
        },
      },
    },
    [{ value: 1, children: [{ value: 2, children: [] }] }],
    [{ value: 1, children: [{}] }],
  ],
  [
    'anchors and ids',
    {
      $id: 'https://example.test/root',
      $ref: 'item#here',
      $defs: { a: { $id: 'item', $defs: { b: { $anchor: 'here', type: 'integer' } } } },
    },
    [1],
    ['a'],
  ],
  [
    'what is not evaluated',
    { type: 'object', allOf: [{ properties: { a: true } }], unevaluatedProperties: false },
    [{ a: 1 }, {}],
    [{ b: 1 }],
  ],
];

describe('schemas', () => {
  it.each(cases)('%s: instances', (_, schema, valid, invalid) => {
    const automaton = automatonOf(schema);
    const validate = ajv.compile(schema);
    for (const value of valid) {
      expect(validate(value)).toBe(true);
      for (const text of [JSON.stringify(value), JSON.stringify(value, null, 2)])
        expect(reads(automaton, text), text).toBe(true);
    }
    for (const value of invalid) {
      expect(validate(value)).toBe(false);
      expect(reads(automaton, JSON.stringify(value)), JSON.stringify(value)).toBe(false);
    }
  });

  it('random texts are valid', () => {
    let finished = 0;
    for (const [, schema] of cases) finished += checkTexts(schema, 6);
    expect(finished).toBeGreaterThan(4 * cases.length);
  });
});

const scalars = fc.oneof(
  fc.record({
    type: fc.constant('integer'),
    minimum: fc.integer({ min: -20, max: 0 }),
    maximum: fc.integer({ min: 1, max: 300 }),
  }),
  fc.record({ type: fc.constant('number'), exclusiveMinimum: fc.integer({ min: -9, max: 9 }).map((n) => n / 4) }),
  fc.record({ type: fc.constant('integer'), multipleOf: fc.integer({ min: 2, max: 9 }) }),
  fc.record({ type: fc.constant('string'), minLength: fc.nat(2), maxLength: fc.integer({ min: 2, max: 5 }) }),
  fc.record({ type: fc.constant('string'), pattern: fc.constantFrom('^[a-c]*$', 'a', '^.b', '\\d$') }),
  fc.record({ enum: fc.uniqueArray(fc.constantFrom<unknown>('a', 'b', 1, null, true, 'é"'), { minLength: 1 }) }),
  fc.constantFrom(
    { type: 'boolean' },
    { type: ['null', 'integer'] },
    { not: { type: 'string' }, type: ['string', 'boolean'] },
  ),
);
const names = fc.constantFrom('a', 'b', 'name', 'é');
const schemas = fc.letrec<{ schema: object }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 3 },
    scalars,
    fc.record({
      type: fc.constant('object'),
      properties: fc.dictionary(names, tie('schema'), { maxKeys: 3 }),
      required: fc.uniqueArray(names, { maxLength: 2 }),
      additionalProperties: fc.oneof(fc.boolean(), tie('schema')),
    }),
    fc.record({
      type: fc.constant('array'),
      items: tie('schema'),
      minItems: fc.nat(1),
      maxItems: fc.integer({ min: 1, max: 3 }),
    }),
    fc.record({ anyOf: fc.array(tie('schema'), { minLength: 1, maxLength: 2 }) }),
    fc.record({
      type: fc.constant('object'),
      patternProperties: fc.dictionary(fc.constantFrom('^n', 'e$', 'é'), tie('schema'), { minKeys: 1, maxKeys: 2 }),
      propertyNames: fc.record({ maxLength: fc.integer({ min: 1, max: 4 }) }),
    }),
    fc.record({
      type: fc.constant('array'),
      items: tie('schema'),
      contains: tie('schema'),
      minContains: fc.nat(2),
      maxContains: fc.integer({ min: 2, max: 3 }),
      maxItems: fc.integer({ min: 2, max: 4 }),
    }),
    fc.record({ type: fc.constant('array'), items: scalars, uniqueItems: fc.boolean(), minItems: fc.nat(2) }),
    fc.record({ not: tie('schema') }),
    fc.record({ oneOf: fc.array(tie('schema'), { minLength: 1, maxLength: 2 }) }),
    fc.record({ allOf: fc.array(tie('schema'), { minLength: 1, maxLength: 2 }) }),
    fc.record({ if: scalars, [then]: tie('schema'), else: tie('schema') }),
  ),
})).schema;
const values = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom<unknown>('a', 'b', 'ab', '1', 'é"', 'abcdef', '', 0, 1, -5, 100, 0.25, null, true, false),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(names, tie('value'), { maxKeys: 3 }),
  ),
})).value;

/** What is refused by name, or has no instance, is not looked at. */
function compiled(schema: object): Automaton | undefined {
  try {
    return automatonOf(schema);
  } catch (error) {
    if (error instanceof QuernError) return undefined;
    throw error;
  }
}

describe('random schemas', () => {
  it('allow no text that ajv refuses', () => {
    let finished = 0;
    fc.assert(
      fc.property(schemas, fc.nat(), (schema, seed) => {
        if (compiled(schema)) finished += checkTexts(schema, 2, seed);
      }),
      { numRuns: 150 },
    );
    expect(finished).toBeGreaterThan(50);
  });

  it('read an instance when ajv takes it, unless its members come in another order', () => {
    fc.assert(
      fc.property(schemas, fc.array(values, { minLength: 10 }), (schema, all) => {
        const automaton = compiled(schema);
        if (!automaton) return;
        const validate = ajv.compile(schema);
        for (const value of all) {
          const text = JSON.stringify(value);
          const accepted = reads(automaton, text);
          if (accepted || !/,"/.test(text))
            expect(accepted, `${text} under ${JSON.stringify(schema)}`).toBe(validate(value));
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe('what cannot be enforced is refused with keyword and place', () => {
  it.each([
    [{ type: 'array', uniqueItems: true }, 'uniqueItems at #:'],
    [{ properties: { a: { type: 'string', pattern: '(?<=a)b' } } }, 'pattern at #/properties/a:'],
    [{ properties: { 'a/b': { $ref: 'other.json' } } }, '$ref at #/properties/a~1b:'],
    [{ items: { oneOf: [{ type: 'array', uniqueItems: true }, { items: { type: 'number' } }] } }, '#/items/oneOf/'],
    [{ $ref: '#' }, '$ref at #:'],
    [{ type: 'string', format: 'regex' }, 'format at #:'],
    [{ type: 'strnig' }, 'type at #:'],
    [{ type: 'object', minProperties: 3 }, 'minProperties at #:'],
  ])('%j', (schema, place) => {
    expect(() => automatonOf(schema)).toThrow(place);
  });

  it.each([
    [{ type: 'string', minLength: -1 }, 'schema-invalid'],
    [{ properties: [] }, 'schema-invalid'],
    [{ allOf: {} }, 'schema-invalid'],
    [5, 'schema-invalid'],
    [false, 'grammar-unsatisfiable'],
    [{ type: 'object', required: ['a'], properties: { a: { $ref: '#' } } }, 'grammar-unsatisfiable'],
    [{ type: 'string', pattern: '(a|b)*a(a|b){20}' }, 'schema-unsupported'],
    [
      { allOf: Array.from({ length: 12 }, (_, i) => ({ anyOf: [{ minimum: i }, { maxLength: i }] })) },
      'schema-unsupported',
    ],
    [JSON.parse(`${'{"items":'.repeat(2000)}{}${'}'.repeat(2000)}`), 'schema-unsupported'],
  ])('%.80j', (schema, code) => {
    expect(() => automatonOf(schema)).toThrow(expect.objectContaining({ code }));
  });
});
