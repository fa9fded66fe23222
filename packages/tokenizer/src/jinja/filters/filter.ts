// What a filter is: a function of the value in front of it, with arguments bound by name.
import { Arguments } from '../arguments.ts';
import { attribute, item } from '../attributes.ts';
import type { NamedValues, Value } from '../values.ts';
import { isText, Missing, rawText } from '../values.ts';

/** Other filters and tests by name, for those that take a name. */
export interface FilterTools {
  filter(name: string, value: Value, placed: readonly Value[], named: NamedValues): Value;
}

export type Filter = (value: Value, placed: readonly Value[], named: NamedValues, tools: FilterTools) => Value;

export const filter =
  (name: string, names: readonly string[], run: (value: Value, given: Arguments) => Value): Filter =>
  (value, placed, named) =>
    run(value, new Arguments(`the filter ${name}`, names, placed, named));

/** `attribute='a.b.0'`: what is at the end of the path, missing where the path breaks. */
export function atPath(path: Value | undefined): (value: Value) => Value {
  if (path === undefined || path === null) return (value) => value;
  const steps = isText(path) ? rawText(path).split('.') : [path];
  return (value) =>
    steps.reduce<Value>((at, step) => {
      if (at instanceof Missing) return at;
      return typeof step === 'string' && !/^\d+$/.test(step) ? looked(at, step) : item(at, Number(step));
    }, value);
}

/** As `environment.getitem` does. */
const looked = (value: Value, name: string): Value => {
  const found = item(value, name);
  return found instanceof Missing ? attribute(value, name) : found;
};
