// Schemas at random against ajv.
import { QuernError } from '@quern/errors';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Automaton } from '../matcher.ts';
import { ajv, automatonOf, checkTexts, reads } from '../testing/schema-texts.ts';

/** A literal key would make the object a promise for linters. */
const then = 'then';
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
