// Texts, numbers, objects and arrays against ajv: no text that masks allow is refused by it, and what it takes is allowed.
import { describe, expect, it } from 'vitest';
import { checkInstances, checkTexts, type SchemaCase } from '../testing/schema-texts.ts';

const cases: SchemaCase[] = [
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
];

describe('schemas', () => {
  it.each(cases)('%s: instances', (...one) => checkInstances(one));

  it('random texts are valid', () => {
    let finished = 0;
    for (const [, schema] of cases) finished += checkTexts(schema, 6);
    expect(finished).toBeGreaterThan(4 * cases.length);
  });
});
