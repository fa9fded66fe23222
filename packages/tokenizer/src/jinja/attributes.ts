// `value.name`, `value[key]` and `value[from:to]`, as Jinja's sandbox looks them up.
import { containerMethod } from './container-methods.ts';
import { printed } from './print.ts';
import { textItems } from './text.ts';
import { textMethod } from './text-methods.ts';
import {
  Attributes,
  Callable,
  isDict,
  isText,
  keyOf,
  Missing,
  rawText,
  SafeText,
  TemplateError,
  Tuple,
  typeName,
  type Value,
} from './values.ts';

/** Methods go before entries of a mapping. */
export function attribute(value: Value, name: string): Value {
  if (value instanceof Missing) throw new TemplateError(value.why);
  const found = method(value, name) ?? entry(value, name);
  return found === undefined ? missing(value, `attribute '${name}'`) : found;
}

/** Entries go before methods. */
export function item(value: Value, key: Value): Value {
  if (value instanceof Missing) throw new TemplateError(value.why);
  if (key instanceof Missing) return missing(value, 'such element');
  const name = isText(key) ? rawText(key) : undefined;
  const own = entry(value, key);
  const found = own === undefined && name !== undefined ? method(value, name) : own;
  if (found !== undefined) return found;
  return missing(value, name === undefined ? `element ${printed(key)}` : `attribute '${name}'`);
}

const missing = (value: Value, what: string): Missing =>
  new Missing(value === null ? `'None' has no ${what}` : `'${typeName(value)} object' has no ${what}`);

function entry(value: Value, key: Value): Value | undefined {
  if (isDict(value)) return value.get(keyOf(key));
  if (value instanceof Attributes) return isText(key) ? value.get(rawText(key)) : undefined;
  if (typeof key !== 'number' && typeof key !== 'boolean') return undefined;
  if (isText(value)) return textItems(rawText(value)).at(Number(key));
  return listed(value)?.at(Number(key));
}

const listed = (value: Value): readonly Value[] | undefined =>
  Array.isArray(value) ? value : value instanceof Tuple ? value.items : undefined;

function method(value: Value, name: string): Callable | undefined {
  const call = isText(value) ? textMethod(rawText(value), name) : containerMethod(value, name);
  return call && new Callable(name, call);
}

export function slice(value: Value, start: Value, stop: Value, step: Value): Value {
  if (value instanceof Missing) throw new TemplateError(value.why);
  const by = bound(step) ?? 1;
  if (by === 0) throw new TemplateError('slice step cannot be zero');
  if (isText(value)) {
    const items = textItems(rawText(value));
    const text = picked(items, bound(start), bound(stop), by).join('');
    return value instanceof SafeText ? new SafeText(text) : text;
  }
  const items = listed(value);
  if (!items) return missing(value, 'slices');
  const part = picked(items, bound(start), bound(stop), by);
  return value instanceof Tuple ? new Tuple(part) : part;
}

function bound(value: Value): number | undefined {
  if (value === null || value instanceof Missing) return undefined;
  if (typeof value === 'number' || typeof value === 'boolean') return Number(value);
  throw new TemplateError('slice indices must be integers or None');
}

function picked<T>(items: ArrayLike<T>, start: number | undefined, stop: number | undefined, step: number): T[] {
  const { length } = items;
  const [least, most] = step > 0 ? [0, length] : [-1, length - 1];
  const place = (index: number) => Math.min(most, Math.max(least, index < 0 ? index + length : index));
  const from = start === undefined ? (step > 0 ? least : most) : place(start);
  const to = stop === undefined ? (step > 0 ? most : least) : place(stop);
  const part: T[] = [];
  for (let at = from; step > 0 ? at < to : at > to; at += step) part.push(items[at]!);
  return part;
}
