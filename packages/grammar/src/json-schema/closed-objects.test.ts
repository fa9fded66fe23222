// Schemas whose objects have the properties that they declare and no others, unless they speak of others; judged by ajv.
import { describe, expect, it } from 'vitest';
import { ajv, automatonOf, checkTexts, reads } from '../testing/schema-texts.ts';

const town = {
  type: 'object',
  properties: { name: { type: 'string' }, size: { type: 'integer' } },
  required: ['name'],
};
const base = { type: 'object', properties: { id: { type: 'integer' } }, required: ['id'] };

/** A name, a schema, values that are left, and values that are valid and left out. */
const cases: [string, object, unknown[], unknown[]][] = [
  ['properties', town, [{ name: 'a' }, { name: 'a', size: 1 }], [{ name: 'a', more: 1 }]],
  [
    'in lists and references',
    { type: 'array', items: { $ref: '#/$defs/town' }, $defs: { town } },
    [[], [{ name: 'a' }]],
    [[{ name: 'a', more: 1 }]],
  ],
  ['of all schemas that hold together', { allOf: [town, base] }, [{ name: 'a', id: 1 }], [{ name: 'a', id: 1, b: 1 }]],
  ['of each alternative', { anyOf: [town, base] }, [{ name: 'a' }, { id: 1 }], [{ id: 1, b: 2 }]],
  [
    'required without being described',
    { ...base, required: ['id', 'b'] },
    [{ id: 1, b: 'x' }],
    [{ id: 1, b: 1, c: 1 }],
  ],
];

/** A name, a schema, and values that must stay. */
const open: [string, object, unknown[]][] = [
  ['true says that there may be others', { ...town, additionalProperties: true }, [{ name: 'a', more: 1 }]],
  ['others have a schema', { ...base, additionalProperties: { type: 'null' } }, [{ id: 1, b: null }]],
  ['patterns', { ...base, patternProperties: { '^x': {} } }, [{ id: 1, x1: 2 }]],
  ['any object', { type: 'object' }, [{ a: 1 }]],
  ['only what must not be', { type: 'object', not: { required: ['secret'] } }, [{ a: 1 }]],
  ['more properties than declared', { ...base, minProperties: 2 }, [{ id: 1, b: 2 }]],
  ['listed values', { ...base, enum: [{ id: 1, more: 2 }] }, [{ id: 1, more: 2 }]],
];

describe('closed objects', () => {
  it.each(cases)('%s', (_, schema, left, leftOut) => {
    const [closed, asWritten] = [automatonOf(schema, true), automatonOf(schema)];
    for (const value of [...left, ...leftOut]) {
      expect(ajv.compile(schema)(value)).toBe(true);
      expect(reads(asWritten, JSON.stringify(value))).toBe(true);
    }
    for (const value of left) expect(reads(closed, JSON.stringify(value)), JSON.stringify(value)).toBe(true);
    for (const value of leftOut) expect(reads(closed, JSON.stringify(value)), JSON.stringify(value)).toBe(false);
    expect(checkTexts(schema, 20, 1, true)).toBeGreaterThan(0);
  });

  it.each(open)('stay open: %s', (_, schema, values) => {
    const closed = automatonOf(schema, true);
    for (const value of values) {
      expect(ajv.compile(schema)(value)).toBe(true);
      expect(reads(closed, JSON.stringify(value)), JSON.stringify(value)).toBe(true);
    }
  });
});
