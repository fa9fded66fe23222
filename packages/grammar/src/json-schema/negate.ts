// The opposite of a schema, written as a schema again: `not`, `oneOf` and `if` become alternatives of what can be enforced.
import {
  containsFrom,
  countOf,
  inside,
  isObject,
  listOf,
  type MemberKind,
  mapOf,
  namesOf,
  notFormat,
  notInteger,
  notMultiple,
  notPattern,
  notValues,
  type Place,
  refuse,
  type Schema,
  someMember,
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

/**
 * Alternatives, one of which holds exactly where `place` does not.
 * @param targetOf what its `$ref` refers to
 * @throws QuernError `schema-unsupported`
 */
export function negation(place: Place, keyword: string, targetOf: (place: Place) => Place): Place[] {
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
      case 'oneOf':
        return noneOrTwo(place, keyword).map(made);
      case 'if': {
        const { then = true, else: otherwise = true } = schema as { then?: Schema; else?: Schema };
        return [{ allOf: [value, { not: then }] }, { allOf: [{ not: value }, { not: otherwise }] }].map(made);
      }
      case 'multipleOf':
        return [made({ type: 'number', [notMultiple]: value })];
      case '$ref': {
        const target = targetOf(place);
        return [{ schema: { not: target.schema }, path: target.path }];
      }
      case 'dependentRequired':
      case 'dependentSchemas':
      case 'dependencies':
        return Object.entries(mapOf(place, name) ?? {}).flatMap(([key, asked]) =>
          Array.isArray(asked)
            ? asked.map((missing) => made({ type: 'object', required: [key], properties: { [missing]: false } }))
            : [made({ allOf: [{ type: 'object', required: [key] }, { not: asked }] })],
        );
      case 'items':
      case 'additionalItems':
      case 'prefixItems':
      case 'contains':
        return otherItems(place, name).map(made);
      case 'additionalProperties':
      case 'patternProperties':
      case 'propertyNames':
        return otherMembers(place, name).map((member) => made({ type: 'object', [someMember]: member }));
      default:
        if (silent.has(name) || !opposed.has(name)) return [];
        return refuse(place, keyword, `the opposite of ${name} is not known`);
    }
  });
}

/** Keywords that mean something, and whose opposite is not among the above. */
const opposed = new Set(['$dynamicRef', 'uniqueItems', 'unevaluatedProperties', 'unevaluatedItems']);

const maxOptions = 12;

/** `oneOf` fails where no option holds, and where two do. */
function noneOrTwo(place: Place, keyword: string): object[] {
  const options = (listOf(place, 'oneOf') ?? []).map((_, i) => inside(place, 'oneOf', i).schema);
  if (options.length > maxOptions) refuse(place, keyword, `the opposite of oneOf of more than ${maxOptions} schemas`);
  const pairs = options.flatMap((one, i) => options.slice(i + 1).map((other) => ({ allOf: [one, other] })));
  return [{ allOf: options.map((not) => ({ not })) }, ...pairs];
}

type ItemsKeyword = 'items' | 'additionalItems' | 'prefixItems' | 'contains';

function otherItems(place: Place, name: ItemsKeyword): object[] {
  const schema = place.schema as { items?: unknown; prefixItems?: unknown };
  const list = Array.isArray(schema.items) ? 'items' : 'prefixItems';
  if (name === 'contains') {
    const contains = inside(place, name).schema;
    const least = countOf(place, 'minContains') ?? 1;
    const most = countOf(place, 'maxContains');
    const few = least === 0 ? [] : [{ type: 'array', contains, minContains: 0, maxContains: least - 1 }];
    return most === undefined ? few : [...few, { type: 'array', contains, minContains: most + 1 }];
  }
  const leading = (listOf(place, list) ?? []).map((_, i) => inside(place, list, i).schema);
  if (name === list)
    return leading.map((not, i) => ({
      type: 'array',
      minItems: i + 1,
      prefixItems: [...leading.slice(0, i).map(() => true), { not }],
    }));
  // In older drafts `additionalItems` says nothing unless `items` is a list.
  if (name === 'additionalItems' && list === 'prefixItems') return [];
  const not = inside(place, name).schema;
  if (not === false) return [{ type: 'array', minItems: leading.length + 1 }];
  return [{ type: 'array', contains: { not }, [containsFrom]: leading.length }];
}

/** Members of which one must be there. */
function otherMembers(
  place: Place,
  name: 'additionalProperties' | 'patternProperties' | 'propertyNames',
): MemberKind[] {
  if (name === 'propertyNames') return [{ against: inside(place, name).schema, value: true }];
  const patterns = Object.keys(mapOf(place, 'patternProperties') ?? {});
  if (name === 'patternProperties')
    return patterns.map((pattern) => ({ pattern, value: { not: inside(place, name, pattern).schema } }));
  const names = Object.keys(mapOf(place, 'properties') ?? {});
  return [{ except: { names, patterns }, value: { not: inside(place, name).schema } }];
}

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
