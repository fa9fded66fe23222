// `enum` and `const`: the values that all lists of an alternative share and its other keywords allow.
import type { Bound } from '../json/number-range.ts';
import { acceptsText } from '../regex/automaton.ts';
import { spend } from '../work.ts';
import type { Alternative } from './alternatives.ts';
import { boundsOf, textsOf } from './scalars.ts';
import { type Excluding, listOf, notInteger, notMultiple, notValues, numberOf } from './schema.ts';

/** Undefined: no list says which. */
export function listedValues(alternative: Alternative): readonly unknown[] | undefined {
  let values: Map<string, unknown> | undefined;
  const narrow = (list: readonly unknown[]): void => {
    const keyed = new Map(list.map((value) => [canonical(value), value]));
    values = values ? new Map([...values].filter(([key]) => keyed.has(key))) : keyed;
  };
  for (const leaf of alternative) {
    const list = listOf(leaf, 'enum');
    if (list) narrow(list);
    const { const: only } = leaf.schema as { const?: unknown };
    if (only !== undefined) narrow([only]);
  }
  if (!values) return undefined;
  for (const leaf of alternative)
    for (const value of (leaf.schema as Excluding)[notValues] ?? []) values.delete(canonical(value));
  return [...values.values()];
}

/** One text for equal values: the order of members does not count. */
export function canonical(value: unknown): string {
  spend(1, 'lists of values (enum, const)');
  if (Array.isArray(value)) return `[${value.map(canonical)}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`)}}`;
}

export function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value;
}

/** Whether the keywords about texts and numbers allow a value of such a type. */
export function scalarAllowed(alternative: Alternative, value: unknown, integer: boolean): boolean {
  if (typeof value === 'string') {
    const texts = textsOf(alternative);
    const length = [...value].length;
    return (
      !!texts && length >= texts.min && length <= texts.max && (!texts.automaton || acceptsText(texts.automaton, value))
    );
  }
  if (typeof value !== 'number') return true;
  const { min, max } = boundsOf(alternative);
  const above = (bound: Bound): boolean => (bound.exclusive ? value > bound.value : value >= bound.value);
  const below = (bound: Bound): boolean => (bound.exclusive ? value < bound.value : value <= bound.value);
  const multiple = alternative.every((leaf) => {
    const factor = numberOf(leaf, 'multipleOf');
    const unwanted = (leaf.schema as Excluding)[notMultiple];
    const divides = (divisor: number): boolean => Number.isInteger(Number((value / divisor).toPrecision(15)));
    return (factor === undefined || divides(factor)) && (unwanted === undefined || !divides(unwanted));
  });
  if (Number.isInteger(value) && alternative.some((leaf) => (leaf.schema as Excluding)[notInteger])) return false;
  return (!integer || Number.isInteger(value)) && (!min || above(min)) && (!max || below(max)) && multiple;
}
