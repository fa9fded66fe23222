// A JSON Schema as it stands in its document, and the error that names what cannot be enforced.
import { QuernError } from '@quern/errors';

export type SchemaObject = Readonly<Record<string, unknown>>;
export type Schema = boolean | SchemaObject;

export interface Place {
  readonly schema: Schema;
  /** JSON pointer with `#` in front. */
  readonly path: string;
}

/** Made by desugaring, never by a document: keys that no JSON has. */
export const notValues: unique symbol = Symbol('values that are excluded');
export const notPattern: unique symbol = Symbol('patterns that must not match');
/** Numbers with a fraction. */
export const notInteger: unique symbol = Symbol('no integers');
export const notFormat: unique symbol = Symbol('formats that must not hold');
export const notMultiple: unique symbol = Symbol('factors that must not divide');
/** Beside `contains`: items before this place do not count. */
export const containsFrom: unique symbol = Symbol('the place from which items count');

/** A member that must be there, whatever its name: the opposite of what is asked of all members. */
export const someMember: unique symbol = Symbol('a member of a kind');

export interface MemberKind {
  /** A name that matches, */
  readonly pattern?: string;
  /** or one that none of these is, and none of these patterns matches, */
  readonly except?: { readonly names: readonly string[]; readonly patterns: readonly string[] };
  /** or one that this schema does not allow. */
  readonly against?: Schema;
  readonly value: Schema;
}

export interface Excluding {
  readonly [notValues]?: readonly unknown[];
  readonly [notPattern]?: string;
  readonly [notFormat]?: string;
  readonly [notInteger]?: true;
  readonly [notMultiple]?: number;
  readonly [someMember]?: MemberKind;
}

export const isObject = (value: unknown): value is SchemaObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** @throws QuernError `schema-invalid` */
export function schemaAt(value: unknown, path: string): Place {
  if (typeof value === 'boolean' || isObject(value)) return { schema: value, path };
  throw new QuernError(
    'schema-invalid',
    `The JSON schema has no schema at ${path}: an object or a boolean belongs there.`,
  );
}

export function inside(place: Place, ...keys: (string | number)[]): Place {
  let value: unknown = place.schema;
  let path = place.path;
  for (const key of keys) {
    value = (value as Record<string, unknown>)[key];
    path += `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
  }
  return schemaAt(value, path);
}

/** What cannot be enforced is refused before a token is generated. */
export function refuse(place: Place, keyword: string, why: string): never {
  throw new QuernError(
    'schema-unsupported',
    `The JSON schema cannot be enforced: ${keyword} at ${place.path}: ${why}.`,
  );
}

/** A keyword's value of the expected kind; undefined when the keyword is not there. @throws QuernError `schema-invalid` */
export function keyword<T>(place: Place, name: string, kind: string, is: (value: unknown) => boolean): T | undefined {
  const value = isObject(place.schema) ? place.schema[name] : undefined;
  if (value === undefined) return undefined;
  if (is(value)) return value as T;
  throw new QuernError('schema-invalid', `The JSON schema is not valid: ${name} at ${place.path} must be ${kind}.`);
}

export const numberOf = (place: Place, name: string): number | undefined =>
  keyword(place, name, 'a number', (value) => typeof value === 'number' && Number.isFinite(value));
export const countOf = (place: Place, name: string): number | undefined =>
  keyword(place, name, 'a non-negative integer', (value) => Number.isInteger(value) && (value as number) >= 0);
export const stringOf = (place: Place, name: string): string | undefined =>
  keyword(place, name, 'a string', (value) => typeof value === 'string');
export const listOf = (place: Place, name: string): readonly unknown[] | undefined =>
  keyword(place, name, 'a list', Array.isArray);
export const namesOf = (place: Place, name: string): readonly string[] | undefined =>
  keyword(
    place,
    name,
    'a list of strings',
    (value) => Array.isArray(value) && value.every((item) => typeof item === 'string'),
  );
export const mapOf = (place: Place, name: string): SchemaObject | undefined =>
  keyword(place, name, 'an object', isObject);
