// What cannot be enforced is said before anything is generated.
import { describe, expect, it } from 'vitest';
import { automatonOf } from '../testing/schema-texts.ts';

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
