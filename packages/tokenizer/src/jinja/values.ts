// Python's values as templates hold them. Texts, truth values, None and whole numbers are JavaScript's own; the rest tells apart
// what JavaScript does not: 1.0 from 1, a tuple from a list, a value that is not there from None.

import { charactersOf } from './spending.ts';

export type Value =
  | string
  | SafeText
  | number
  | Float
  | boolean
  | null
  | Missing
  | Value[]
  | Tuple
  | Dict
  | Attributes
  | Callable;

/** Keys are compared by JavaScript: 1 and '1' differ, and so do 1 and True. */
export type Key = string | number | boolean | null;
export type Dict = Map<Key, Value>;

export class Float {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

export class Tuple {
  readonly items: readonly Value[];
  constructor(items: readonly Value[]) {
    this.items = items;
  }
}

/** Text that says of itself that it is HTML (`|safe`): what is added to it is escaped. */
export class SafeText {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** Jinja's Undefined: prints nothing, but has no attributes. */
export class Missing {
  readonly why: string;
  constructor(why: string) {
    this.why = why;
  }
}

/** A namespace, or the `loop` of a loop: attributes, but no mapping. */
export class Attributes {
  readonly get: (name: string) => Value | undefined;
  /** A namespace's, for `{% set x.name = … %}`. */
  readonly set: ((name: string, value: Value) => void) | undefined;
  /** A recursive loop's. */
  readonly call: Callable['call'] | undefined;
  constructor(get: Attributes['get'], more: { set?: Attributes['set']; call?: Attributes['call'] } = {}) {
    this.get = get;
    this.set = more.set;
    this.call = more.call;
  }
}

export type NamedValues = ReadonlyMap<string, Value>;

export class Callable {
  readonly name: string;
  readonly call: (placed: readonly Value[], named: NamedValues) => Value;
  constructor(name: string, call: Callable['call']) {
    this.name = name;
    this.call = call;
  }
}

export class TemplateError extends Error {}

/** `??` for values: None is one. */
export const valueOr = (value: Value | undefined, otherwise: Value): Value => (value === undefined ? otherwise : value);

/** What JSON holds. Whole numbers that JSON.stringify would write with an exponent are floats to Python. */
export function fromJson(given: unknown): Value {
  if (typeof given === 'string' || typeof given === 'boolean' || given === null) return given;
  if (typeof given === 'number') return Number.isInteger(given) && Math.abs(given) < 1e21 ? given : new Float(given);
  if (given === undefined) return new Missing('a value is not there');
  if (Array.isArray(given)) return given.map(fromJson);
  if (given instanceof Callable) return given;
  return new Map(Object.entries(given as object).map(([key, value]) => [key, fromJson(value)]));
}

export const isText = (value: Value): value is string | SafeText =>
  typeof value === 'string' || value instanceof SafeText;
export const rawText = (value: string | SafeText): string => (typeof value === 'string' ? value : value.text);
export const isDict = (value: Value): value is Dict => value instanceof Map;
export const isNumber = (value: Value): value is number | Float | boolean =>
  typeof value === 'number' || typeof value === 'boolean' || value instanceof Float;
export const numberOf = (value: number | Float | boolean): number =>
  value instanceof Float ? value.value : Number(value);

export function truth(value: Value): boolean {
  if (value instanceof Missing || value === null) return false;
  if (isText(value)) return rawText(value) !== '';
  if (isNumber(value)) return numberOf(value) !== 0;
  if (Array.isArray(value)) return value.length > 0;
  if (value instanceof Tuple) return value.items.length > 0;
  return !isDict(value) || value.size > 0;
}

/** Python's name of a value's type. */
export function typeName(value: Value): string {
  if (value === null) return 'NoneType';
  if (typeof value === 'string') return 'str';
  if (typeof value === 'number') return 'int';
  if (typeof value === 'boolean') return 'bool';
  if (Array.isArray(value)) return 'list';
  if (isDict(value)) return 'dict';
  if (value instanceof Float) return 'float';
  if (value instanceof Tuple) return 'tuple';
  if (value instanceof SafeText) return 'Markup';
  if (value instanceof Missing) return 'Undefined';
  return value instanceof Callable ? 'function' : 'Namespace';
}

/** What a loop goes through. @throws TemplateError where it is nothing of that kind */
export function itemsOf(value: Value): readonly Value[] {
  if (Array.isArray(value)) return value;
  if (value instanceof Tuple) return value.items;
  if (isDict(value)) return [...value.keys()];
  if (isText(value)) return charactersOf(rawText(value));
  if (value instanceof Missing) return [];
  throw new TemplateError(`'${typeName(value)}' object is not iterable`);
}

/** @throws TemplateError for what Python cannot hash */
export function keyOf(value: Value): Key {
  if (isText(value)) return rawText(value);
  if (value instanceof Float && Number.isInteger(value.value)) return value.value;
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value;
  throw new TemplateError(`unhashable type: '${typeName(value)}'`);
}
