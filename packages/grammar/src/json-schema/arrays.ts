// Arrays of an alternative: leading items by their place, then all others alike; counted where items must be contained.
import { choice, type Expression, nothing, repeat, rule, sequence, text } from '../expression.ts';
import { comma, space } from '../json/values.ts';
import type { Alternative } from './alternatives.ts';
import { countOf, inside, listOf, type Place, refuse } from './schema.ts';

const maxLeading = 2_000;
const maxStates = 2_000;
/** Values that come in any order, once each; there is a state for each set of them. */
const maxUnordered = 6;

export interface ArrayCompiler {
  valueOf(places: readonly Place[]): Expression;
  /** All values that satisfy the schemas, where these are few and listed. */
  valuesOf(places: readonly Place[]): readonly unknown[] | undefined;
  literal(value: unknown): Expression;
  /** A rule of its own. */
  define(name: string, expression: Expression): void;
}

/** @param prefix for the names of the array's rules */
export function arrayExpression(alternative: Alternative, prefix: string, compiler: ArrayCompiler): Expression {
  const min = Math.max(0, ...alternative.map((leaf) => countOf(leaf, 'minItems') ?? 0));
  const max = Math.min(...alternative.map((leaf) => countOf(leaf, 'maxItems') ?? Number.POSITIVE_INFINITY));
  refuseUnknown(alternative);
  const leaves = alternative.map((leaf) => ({ leaf, own: leadingItems(leaf) }));
  const placesAt = (index: number): Place[] => leaves.flatMap(({ leaf, own }) => itemPlace(leaf, own, index));
  const leading = Math.max(...leaves.map(({ own }) => own.length));
  if (leading > maxLeading) refuse(alternative[0]!, 'prefixItems', `more than ${maxLeading} items`);
  if (min > max) return choice([]);
  const shape: ArrayShape = { min, max, leading, placesAt };
  const sought = soughtIn(alternative);
  const distinct =
    max > 1 ? alternative.find(({ schema }) => (schema as { uniqueItems?: unknown }).uniqueItems === true) : undefined;
  if (distinct && sought) refuse(distinct, 'uniqueItems', 'beside contains');
  const items = distinct
    ? distinctItems(distinct, shape, prefix, compiler)
    : sought
      ? itemsWith(sought, shape, prefix, compiler)
      : plainItems(shape, compiler);
  return sequence([text('['), space, items, text(']')]);
}

interface ArrayShape {
  readonly min: number;
  readonly max: number;
  /** Items that have places of their own. */
  readonly leading: number;
  placesAt(index: number): Place[];
}

const item = (expression: Expression, index: number): Expression =>
  sequence([...(index === 0 ? [] : [comma]), expression, space]);

function plainItems({ min, max, leading, placesAt }: ArrayShape, compiler: ArrayCompiler): Expression {
  let items = remaining(compiler.valueOf(placesAt(leading)), leading, min, max);
  for (let index = Math.min(leading, max) - 1; index >= 0; index--) {
    const expression = compiler.valueOf(placesAt(index));
    const behind = index === Math.min(leading, max) - 1 && max <= leading ? nothing : items;
    const here = sequence([item(expression, index), behind]);
    items = index < min ? here : choice([here, nothing]);
  }
  return items;
}

function remaining(other: Expression, from: number, min: number, max: number): Expression {
  const need = Math.max(0, min - from);
  const room = max - from;
  if (room <= 0) return nothing;
  const more = sequence([comma, other, space]);
  if (from > 0) return repeat(more, need, room);
  const some = sequence([other, space, repeat(more, Math.max(0, need - 1), room - 1)]);
  return need > 0 ? some : choice([some, nothing]);
}

interface Sought {
  readonly place: Place;
  readonly opposite: Place;
  readonly least: number;
  readonly most: number;
}

/** A rule for each count of items, and of those that are sought; beyond what the bounds tell apart counts are one. */
function itemsWith(
  { place, opposite, least, most }: Sought,
  { min, max, leading, placesAt }: ArrayShape,
  prefix: string,
  compiler: ArrayCompiler,
): Expression {
  const bounded = most < Number.POSITIVE_INFINITY;
  const lastCount = max < Number.POSITIVE_INFINITY ? max : Math.max(min, leading, 1);
  const lastHits = bounded ? most : least;
  if ((lastCount + 1) * (lastHits + 1) > maxStates) refuse(place, 'contains', 'beside such counts of items');
  const ruleOf = (count: number, hits: number): string => `${prefix} ${count} items ${hits}`;
  for (let count = 0; count <= lastCount; count++)
    for (let hits = 0; hits <= lastHits; hits++) {
      const options: Expression[] = count >= min && hits >= least ? [nothing] : [];
      if (count < max) {
        const places = placesAt(Math.min(count, leading));
        const step = (of: readonly Place[], hitsThen: number): Expression =>
          sequence([item(compiler.valueOf(of), count), rule(ruleOf(Math.min(count + 1, lastCount), hitsThen))]);
        if (hits < most) options.push(step([place, ...places], Math.min(hits + 1, lastHits)));
        if (bounded) options.push(step([opposite, ...places], hits));
        else options.push(step(places, hits));
      }
      compiler.define(ruleOf(count, hits), choice(options));
    }
  return rule(ruleOf(0, 0));
}

/** A few values in any order, many in the order of their list: each once at most. */
function distinctItems(leaf: Place, shape: ArrayShape, prefix: string, compiler: ArrayCompiler): Expression {
  const { min, max, leading, placesAt } = shape;
  const values = leading === 0 ? compiler.valuesOf(placesAt(0)) : undefined;
  if (!values)
    return refuse(leaf, 'uniqueItems', 'items are not compared with each other, unless their values are listed');
  if (min > values.length) return choice([]);
  const literals = values.map((value) => compiler.literal(value));
  if (literals.length <= maxUnordered) return inAnyOrder(literals, shape, prefix, compiler);
  // Counts matter up to where both bounds are decided.
  const lastCount = Math.max(1, max < values.length ? max : min);
  if (values.length * (lastCount + 1) > maxStates) refuse(leaf, 'uniqueItems', 'of so many values');
  const rest = (index: number, count: number): Expression =>
    index === literals.length ? (count >= min ? nothing : choice([])) : rule(`${prefix} ${count} of ${index}`);
  for (const [index, literal] of literals.entries())
    for (let count = 0; count <= lastCount; count++) {
      const taken = sequence([item(literal, count), rest(index + 1, Math.min(count + 1, lastCount))]);
      const skipped = rest(index + 1, count);
      compiler.define(`${prefix} ${count} of ${index}`, choice(count < max ? [taken, skipped] : [skipped]));
    }
  return rest(0, 0);
}

function inAnyOrder(
  literals: readonly Expression[],
  { min, max }: ArrayShape,
  prefix: string,
  compiler: ArrayCompiler,
): Expression {
  const known = new Set<string>();
  /** @param left those that may still come */
  const rest = (left: readonly number[]): Expression => {
    const count = literals.length - left.length;
    const name = `${prefix} left ${left.join()}`;
    if (known.has(name)) return rule(name);
    known.add(name);
    const options =
      count < max ? left.map((i) => sequence([item(literals[i]!, count), rest(left.filter((one) => one !== i))])) : [];
    compiler.define(name, choice(count >= min ? [...options, nothing] : options));
    return rule(name);
  };
  return rest(literals.map((_, i) => i));
}

/** `prefixItems`; `items` as a list in older drafts. */
function leadingItems(leaf: Place): readonly Place[] {
  const { items } = leaf.schema as { items?: unknown };
  const name = Array.isArray(items) ? 'items' : 'prefixItems';
  return (listOf(leaf, name) ?? []).map((_, i) => inside(leaf, name, i));
}

function itemPlace(leaf: Place, leading: readonly Place[], index: number): Place[] {
  if (index < leading.length) return [leading[index]!];
  const { items } = leaf.schema as { items?: unknown };
  const name = Array.isArray(items) ? 'additionalItems' : 'items';
  const found = (leaf.schema as Readonly<Record<string, unknown>>)[name];
  if (found !== undefined) return [inside(leaf, name)];
  return (leaf.schema as { unevaluatedItems?: unknown }).unevaluatedItems === undefined
    ? []
    : [inside(leaf, 'unevaluatedItems')];
}

function soughtIn(alternative: Alternative): Sought | undefined {
  const found = alternative.filter((leaf) => (leaf.schema as { contains?: unknown }).contains !== undefined);
  const [leaf] = found;
  if (!leaf) return undefined;
  const least = countOf(leaf, 'minContains') ?? 1;
  const most = countOf(leaf, 'maxContains') ?? Number.POSITIVE_INFINITY;
  if (least === 0 && most === Number.POSITIVE_INFINITY) return undefined;
  if (found.length > 1) refuse(leaf, 'contains', 'of several schemas at once');
  const place = inside(leaf, 'contains');
  return { place, opposite: { schema: { not: place.schema }, path: place.path }, least, most };
}

function refuseUnknown(alternative: Alternative): void {
  for (const leaf of alternative) {
    const schema = leaf.schema as { unevaluatedItems?: unknown };
    const others = alternative.filter((other) => other !== leaf && other.within.has(leaf.schema));
    if (
      schema.unevaluatedItems !== undefined &&
      others.some(({ schema: other }) =>
        ['items', 'prefixItems', 'contains', 'unevaluatedItems'].some((name) => name in (other as object)),
      )
    )
      refuse(leaf, 'unevaluatedItems', 'beside other schemas about items');
    if (schema.unevaluatedItems !== undefined && 'contains' in schema)
      refuse(leaf, 'unevaluatedItems', 'beside contains');
  }
}
