// Arrays of an alternative: leading items by their place, then all others alike; counted where items must be contained.
import { choice, type Expression, nothing, repeat, rule, sequence, text } from '../expression.ts';
import { comma, space } from '../json/values.ts';
import type { Alternative } from './alternatives.ts';
import { containsFrom, countOf, inside, listOf, type Place, refuse } from './schema.ts';

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
  if (distinct && sought.length > 0) refuse(distinct, 'uniqueItems', 'beside contains');
  const items = distinct
    ? distinctItems(distinct, shape, prefix, compiler)
    : sought.length > 0
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
  /** Items before this place do not count. */
  readonly from: number;
}

/** A rule for each count of items, and of those that each schema seeks; beyond what the bounds tell apart counts are one. */
function itemsWith(
  sought: readonly Sought[],
  { min, max, leading, placesAt }: ArrayShape,
  prefix: string,
  compiler: ArrayCompiler,
): Expression {
  const froms = sought.map(({ from }) => from);
  const lastCount = max < Number.POSITIVE_INFINITY ? max : Math.max(min, leading, 1, ...froms);
  const lastHits = sought.map(({ least, most }) => (most < Number.POSITIVE_INFINITY ? most : least));
  const states = lastHits.reduce((product, last) => product * (last + 1), lastCount + 1);
  if (states * 2 ** sought.length > 2 * maxStates) refuse(sought[0]!.place, 'contains', 'beside such counts of items');
  const ruleOf = (count: number, hits: readonly number[]): string => `${prefix} ${count} items ${hits.join()}`;
  for (let count = 0; count <= lastCount; count++)
    for (const hits of vectorsTo(lastHits)) {
      const enough = sought.every(({ least }, i) => hits[i]! >= least);
      const options: Expression[] = count >= min && enough ? [nothing] : [];
      // An item is counted by some of the schemas. By the others it need not be, or, where they are bounded, must not be.
      for (const found of count < max ? vectorsTo(sought.map(() => 1)) : []) {
        if (sought.some(({ most, from }, i) => found[i] === 1 && (hits[i]! >= most || count < from))) continue;
        const places = sought.flatMap(({ place, opposite, most }, i) =>
          found[i] === 1 ? [place] : most < Number.POSITIVE_INFINITY ? [opposite] : [],
        );
        const then = hits.map((hit, i) => Math.min(hit + found[i]!, lastHits[i]!));
        const here = compiler.valueOf([...places, ...placesAt(Math.min(count, leading))]);
        options.push(sequence([item(here, count), rule(ruleOf(Math.min(count + 1, lastCount), then))]));
      }
      compiler.define(ruleOf(count, hits), choice(options));
    }
  return rule(
    ruleOf(
      0,
      lastHits.map(() => 0),
    ),
  );
}

/** All lists of numbers from 0 to those of `last`. */
const vectorsTo = (last: readonly number[]): number[][] =>
  last.reduce<number[][]>(
    (all, most) => all.flatMap((vector) => Array.from({ length: most + 1 }, (_, n) => [...vector, n])),
    [[]],
  );

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

/** One for each schema that items are counted by. */
function soughtIn(alternative: Alternative): Sought[] {
  return alternative.flatMap((leaf) => {
    if ((leaf.schema as { contains?: unknown }).contains === undefined) return [];
    const least = countOf(leaf, 'minContains') ?? 1;
    const most = countOf(leaf, 'maxContains') ?? Number.POSITIVE_INFINITY;
    if (least === 0 && most === Number.POSITIVE_INFINITY) return [];
    const place = inside(leaf, 'contains');
    const { [containsFrom]: from = 0 } = leaf.schema as { [containsFrom]?: number };
    return [{ place, opposite: { schema: { not: place.schema }, path: place.path }, least, most, from }];
  });
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
