// Arrays of an alternative: leading items by their place, then all others alike.
import { choice, type Expression, nothing, repeat, sequence, text } from '../expression.ts';
import { comma, space } from '../json/values.ts';
import type { Alternative } from './alternatives.ts';
import { countOf, inside, listOf, type Place, refuse } from './schema.ts';

const maxLeading = 2_000;

export function arrayExpression(
  alternative: Alternative,
  itemOf: (places: readonly Place[]) => Expression,
): Expression {
  const min = Math.max(0, ...alternative.map((leaf) => countOf(leaf, 'minItems') ?? 0));
  const max = Math.min(...alternative.map((leaf) => countOf(leaf, 'maxItems') ?? Number.POSITIVE_INFINITY));
  refuseUnknown(alternative, max);
  const leaves = alternative.map((leaf) => ({ leaf, own: leadingItems(leaf) }));
  const placesAt = (index: number): Place[] => leaves.flatMap(({ leaf, own }) => itemPlace(leaf, own, index));
  const leading = Math.max(...leaves.map(({ own }) => own.length));
  if (leading > maxLeading) refuse(alternative[0]!, 'prefixItems', `more than ${maxLeading} items`);
  if (min > max) return choice([]);
  const { search, least } = searched(alternative);
  const other = itemOf(placesAt(leading));
  const item = (expression: Expression, index: number): Expression =>
    sequence([...(index === 0 ? [] : [comma]), expression, space]);
  let items = remaining(other, leading, min, max);
  if (search) {
    if (leading > 0 || min > 1 || max < Number.POSITIVE_INFINITY || least !== 1)
      refuse(search, 'contains', 'beside prefixItems, minItems, maxItems, minContains or maxContains');
    const found = itemOf([search, ...placesAt(0)]);
    const more = sequence([comma, other, space]);
    items = sequence([repeat(sequence([other, space, comma]), 0), found, space, repeat(more, 0)]);
  }
  for (let index = Math.min(leading, max) - 1; index >= 0; index--) {
    const expression = itemOf(placesAt(index));
    const behind = index === Math.min(leading, max) - 1 && max <= leading ? nothing : items;
    const here = sequence([item(expression, index), behind]);
    items = index < min ? here : choice([here, nothing]);
  }
  return sequence([text('['), space, items, text(']')]);
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

function searched(alternative: Alternative): { search?: Place; least: number } {
  const found = alternative.filter((leaf) => (leaf.schema as { contains?: unknown }).contains !== undefined);
  if (found.length === 0) return { least: 0 };
  const [leaf] = found;
  if (found.length > 1) refuse(leaf!, 'contains', 'of several schemas at once');
  const least = countOf(leaf!, 'minContains') ?? 1;
  if (countOf(leaf!, 'maxContains') !== undefined)
    refuse(leaf!, 'maxContains', 'what may not be contained is not counted');
  return least === 0 ? { least } : { search: inside(leaf!, 'contains'), least };
}

function refuseUnknown(alternative: Alternative, max: number): void {
  for (const leaf of alternative) {
    const schema = leaf.schema as { uniqueItems?: unknown; unevaluatedItems?: unknown };
    if (schema.uniqueItems === true && max > 1) refuse(leaf, 'uniqueItems', 'items are not compared with each other');
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
