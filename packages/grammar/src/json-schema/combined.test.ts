// Schemas that hold together, that must not hold, and that refer to each other, against ajv.
import { describe, expect, it } from 'vitest';
import { checkInstances, checkTexts, type SchemaCase } from '../testing/schema-texts.ts';

/** A literal key would make the object a promise for linters. */
const then = 'then';
const cases: SchemaCase[] = [
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
  [
    'not all items behind the leading ones',
    { type: 'array', not: { prefixItems: [true, { type: 'string' }], items: { type: 'integer' } } },
    [
      [1, 2],
      [1, 'a', 'b'],
      ['a', 'b', 1, null],
    ],
    [[], [1], ['a', 'b'], [null, 'b', 1, 2]],
  ],
  [
    'neither all of one kind nor all of another',
    {
      type: 'array',
      allOf: [{ not: { items: { type: 'integer' } } }, { not: { items: { type: 'string', maxLength: 3 } } }],
    },
    [[null], [1, 'a'], ['a', 1], ['abcd'], [1, 'abcd', 'a']],
    [[], [1], ['a'], [1, 2, 3], ['a', 'b']],
  ],
  [
    'exactly one of two kinds of lists',
    {
      oneOf: [
        { type: 'array', items: { type: ['integer', 'null'] } },
        { type: 'array', items: { type: ['string', 'null'] } },
      ],
    },
    [[1], ['a'], [null, 1], ['a', null]],
    [[], [null], [1, 'a'], [true]],
  ],
  [
    'several schemas of which items are contained',
    {
      type: 'array',
      items: { type: ['integer', 'string'] },
      allOf: [
        { contains: { type: 'integer', minimum: 5 }, minContains: 2 },
        { contains: { type: 'string' }, maxContains: 2 },
        { contains: { const: 7 } },
      ],
      maxItems: 5,
    },
    [
      [5, 7, 'a'],
      ['a', 7, 'b', 7],
      [7, 1, 9, 'x', 2],
    ],
    [
      [5, 'a', 6],
      [7, 'a'],
      [7, 7],
      [7, 8, 'a', 'b', 'c'],
      [7, 8, 'a', 1, 2, 3],
    ],
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
  it.each(cases)('%s: instances', (...one) => checkInstances(one));

  it('random texts are valid', () => {
    let finished = 0;
    for (const [, schema] of cases) finished += checkTexts(schema, 6);
    expect(finished).toBeGreaterThan(4 * cases.length);
  });
});
