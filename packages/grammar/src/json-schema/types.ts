// Which types an alternative allows.
import type { Alternative } from './alternatives.ts';
import { isObject, type Place, refuse, type SchemaObject, someMember } from './schema.ts';

export const jsonTypes = ['null', 'boolean', 'number', 'string', 'array', 'object'] as const;
export type JsonType = (typeof jsonTypes)[number];

export interface Types {
  readonly types: ReadonlySet<JsonType>;
  /** Numbers must be integers. */
  readonly integer: boolean;
}

export function typesOf(alternative: readonly Place[]): Types {
  let types: JsonType[] = [...jsonTypes];
  let integer = false;
  for (const place of alternative) {
    const names = typeNames(place);
    if (!names) continue;
    if (names.includes('integer') && !names.includes('number')) integer = true;
    types = types.filter((type) => names.includes(type) || (type === 'number' && names.includes('integer')));
  }
  return { types: new Set(types), integer };
}

/** What `type` says; undefined where it is not there. @throws QuernError `schema-unsupported` for what is no type */
export function typeNames(place: Place): readonly string[] | undefined {
  const listed = isObject(place.schema) ? place.schema.type : undefined;
  if (listed === undefined) return undefined;
  const names: unknown[] = Array.isArray(listed) ? listed : [listed];
  if (names.length === 0) refuse(place, 'type', 'the list of types is empty, so no value would be valid');
  const wrong = names.findIndex((name) => name !== 'integer' && !jsonTypes.includes(name as JsonType));
  if (wrong >= 0) refuse(place, 'type', `${JSON.stringify(names[wrong])} is no type`);
  return names as string[];
}

/** Keywords that say something about each type; without any, every value of the type will do. */
export const keywordsOf: Readonly<Record<'string' | 'number' | 'array' | 'object', readonly (string | symbol)[]>> = {
  string: ['minLength', 'maxLength', 'pattern', 'format'],
  number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  array: [
    'items',
    'prefixItems',
    'additionalItems',
    'minItems',
    'maxItems',
    'contains',
    'uniqueItems',
    'unevaluatedItems',
  ],
  object: [
    ...['properties', 'patternProperties', 'additionalProperties', 'required', 'minProperties', 'maxProperties'],
    ...['propertyNames', 'unevaluatedProperties', someMember],
  ],
};

export const asks = (alternative: Alternative, type: keyof typeof keywordsOf): boolean =>
  alternative.some((leaf) => keywordsOf[type].some((name) => name in (leaf.schema as object)));

/** Whose meaning depends on where else the schema stands. */
export const scopedKeywords = ['unevaluatedProperties', 'unevaluatedItems'];
const valueKeywords = new Set<string | symbol>(['type', 'enum', 'const', ...Object.values(keywordsOf).flat()]);

/** Whether a schema itself, what it holds together left aside, says something about a value. */
export const asksAnything = (schema: SchemaObject): boolean =>
  Object.keys(schema).some((name) => valueKeywords.has(name)) || Object.getOwnPropertySymbols(schema).length > 0;
