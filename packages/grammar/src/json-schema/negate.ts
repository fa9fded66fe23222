// The opposite of a schema, written as a schema again: `not`, `oneOf` and `if` become alternatives of what can be enforced.
import {
  inside,
  isObject,
  listOf,
  mapOf,
  namesOf,
  notFormat,
  notInteger,
  notPattern,
  notValues,
  type Place,
  refuse,
  type Schema,
} from './schema.ts';
import { typeNames } from './types.ts';

const types = ['null', 'boolean', 'number', 'string', 'array', 'object'];
/** Keywords that say nothing about values. */
const silent = new Set([
  ...['$schema', '$id', 'id', '$anchor', '$dynamicAnchor', '$comment', '$defs', 'definitions', '$vocabulary', 'title'],
  ...[
    'description',
    'default',
    'examples',
    'deprecated',
    'readOnly',
    'writeOnly',
    'contentEncoding',
    'contentMediaType',
  ],
]);

/** Alternatives, one of which holds exactly where `place` does not. @throws QuernError `schema-unsupported` */
export function negation(place: Place, keyword: string): Place[] {
  const { schema, path } = place;
  const made = (opposite: object | boolean): Place => ({ schema: opposite as Schema, path });
  if (typeof schema === 'boolean') return [made(!schema)];
  const bound = (type: string, opposite: string, value: unknown): Place[] =>
    value === undefined ? [] : [made({ type, [opposite]: value })];
  return Object.keys(schema).flatMap((name): Place[] => {
    const value = schema[name];
    switch (name) {
      case 'type':
        return otherTypes(typeNames(place)!).map(made);
      case 'enum':
        return [made({ [notValues]: listOf(place, name) })];
      case 'const':
        return [made({ [notValues]: [value] })];
      case 'required':
        return (namesOf(place, name) ?? []).map((key) => made({ type: 'object', properties: { [key]: false } }));
      case 'properties':
        return Object.keys(mapOf(place, name) ?? {}).map((key) =>
          made({ type: 'object', required: [key], properties: { [key]: { not: inside(place, name, key).schema } } }),
        );
      case 'minimum':
        return bound('number', 'exclusiveMaximum', value);
      case 'maximum':
        return bound('number', 'exclusiveMinimum', value);
      case 'exclusiveMinimum':
        return typeof value === 'number' ? bound('number', 'maximum', value) : refuse(place, keyword, name);
      case 'exclusiveMaximum':
        return typeof value === 'number' ? bound('number', 'minimum', value) : refuse(place, keyword, name);
      case 'minLength':
      case 'minItems':
      case 'minProperties': {
        const type = { minLength: 'string', minItems: 'array', minProperties: 'object' }[name];
        return value === 0 ? [] : bound(type, name.replace('min', 'max'), Number(value) - 1);
      }
      case 'maxLength':
        return bound('string', 'minLength', Number(value) + 1);
      case 'maxItems':
        return bound('array', 'minItems', Number(value) + 1);
      case 'maxProperties':
        return bound('object', 'minProperties', Number(value) + 1);
      case 'pattern':
        return [made({ type: 'string', [notPattern]: value })];
      case 'format':
        return [made({ type: 'string', [notFormat]: value })];
      case 'not':
        return [inside(place, 'not')];
      case 'allOf':
        return (listOf(place, name) ?? []).map((_, i) => made({ not: inside(place, name, i).schema }));
      case 'anyOf':
        return [made({ allOf: (listOf(place, name) ?? []).map((_, i) => ({ not: inside(place, name, i).schema })) })];
      default:
        if (silent.has(name) || !opposed.has(name)) return [];
        return refuse(place, keyword, `the opposite of ${name} is not known`);
    }
  });
}

/** Keywords that mean something, and whose opposite is not among the above. */
const opposed = new Set([
  ...[
    '$ref',
    '$dynamicRef',
    'oneOf',
    'if',
    'items',
    'prefixItems',
    'additionalItems',
    'contains',
    'uniqueItems',
    'multipleOf',
  ],
  ...['patternProperties', 'additionalProperties', 'propertyNames', 'dependentRequired', 'dependentSchemas'],
  ...['dependencies', 'unevaluatedProperties', 'unevaluatedItems'],
]);

/** What is left of all types; of numbers, those that are no integers where only these are excluded. */
function otherTypes(excluded: readonly string[]): object[] {
  const rest = types.filter((type) => !excluded.includes(type) && (type !== 'number' || !excluded.includes('integer')));
  const fractions = excluded.includes('integer') && !excluded.includes('number');
  return [{ type: rest }, ...(fractions ? [{ type: 'number', [notInteger]: true }] : [])].filter(
    ({ type }) => type.length > 0,
  );
}

export const isEmpty = (schema: Schema): boolean =>
  schema === true || (isObject(schema) && Object.keys(schema).length === 0);
