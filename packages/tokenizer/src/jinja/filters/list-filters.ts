// Filters of lists and mappings.
import type { Arguments } from '../arguments.ts';
import { contains, equal, order } from '../compare.ts';
import { pairs } from '../container-methods.ts';
import { calculate } from '../operators.ts';
import { spend } from '../spending.ts';
import { testNamed } from '../tests.ts';
import { textLength } from '../text.ts';
import {
  isDict,
  isText,
  itemsOf,
  Missing,
  rawText,
  TemplateError,
  Tuple,
  truth,
  typeName,
  type Value,
  valueOr,
} from '../values.ts';
import { atPath, type Filter, filter } from './filter.ts';

const lowered = (value: Value): Value => (isText(value) ? rawText(value).toLowerCase() : value);

/** By what values are compared: case counts only where it is asked for. */
const compared = (given: Arguments): ((value: Value) => Value) => {
  const at = atPath(given.get('attribute'));
  return given.flag('case_sensitive') ? at : (value) => lowered(at(value));
};

function sorted(items: readonly Value[], by: (value: Value) => Value, reverse: boolean): Value[] {
  const keyed = items.map((value) => ({ value, key: by(value) }));
  keyed.sort((a, b) => (reverse ? order(b.key, a.key) : order(a.key, b.key)));
  return keyed.map(({ value }) => value);
}

function extreme(name: 'min' | 'max'): Filter {
  return filter(name, ['case_sensitive', 'attribute'], (value, given) => {
    const by = compared(given);
    const comes = (a: Value, b: Value) => (name === 'min' ? order(by(a), by(b)) < 0 : order(by(a), by(b)) > 0);
    const [first, ...rest] = itemsOf(value);
    if (first === undefined) return new Missing('No aggregated item, sequence was empty.');
    return rest.reduce((best, one) => (comes(one, best) ? one : best), first);
  });
}

/** Keeps the items for which a test holds, or does not. */
function choosing(name: string, wanted: boolean, byAttribute: boolean): Filter {
  return (value, placed) => {
    if (!truth(value)) return [];
    const [path, rest] = byAttribute ? [placed[0], placed.slice(1)] : [undefined, placed];
    if (byAttribute && path === undefined) throw new TemplateError(`the filter ${name} needs the name of an attribute`);
    const at = atPath(path);
    const test = rest[0] === undefined ? truth : testNamed(isText(rest[0]) ? rawText(rest[0]) : '');
    return itemsOf(value).filter((one) => test(at(one), valueOr(rest[1], null)) === wanted);
  };
}

const map: Filter = (value, placed, named, tools) => {
  if (!truth(value)) return [];
  const path = named.get('attribute');
  if (placed.length === 0 && path !== undefined) {
    const at = atPath(path);
    const otherwise = named.get('default');
    return itemsOf(value).map((one) => {
      const found = at(one);
      return found instanceof Missing && otherwise !== undefined ? otherwise : found;
    });
  }
  const [name, ...rest] = placed;
  if (name === undefined || !isText(name)) throw new TemplateError('map requires a filter argument');
  return itemsOf(value).map((one) => tools.filter(rawText(name), one, rest, named));
};

function unique(items: readonly Value[], by: (value: Value) => Value): Value[] {
  const seen: Value[] = [];
  return items.filter((one) => {
    const key = by(one);
    if (contains(seen, key)) return false;
    seen.push(key);
    return true;
  });
}

function inGroups(items: readonly Value[], by: (value: Value) => Value): Value[] {
  const groups: { key: Value; items: Value[] }[] = [];
  for (const one of sorted(items, by, false)) {
    const key = by(one);
    const last = groups.at(-1);
    if (last && equal(last.key, key)) last.items.push(one);
    else groups.push({ key, items: [one] });
  }
  return groups.map((group) => new Tuple([group.key, group.items]));
}

export const listFilters: Readonly<Record<string, Filter>> = {
  length: filter('length', [], (value) => {
    if (isText(value)) return textLength(rawText(value));
    if (typeof value === 'object' || value === null) return itemsOf(value).length;
    throw new TemplateError(`object of type '${typeName(value)}' has no len()`);
  }),
  list: filter('list', [], (value) => [...itemsOf(value)]),
  first: filter('first', [], (value) => valueOr(itemsOf(value)[0], new Missing('No first item, sequence was empty.'))),
  last: filter('last', [], (value) => valueOr(itemsOf(value).at(-1), new Missing('No last item, sequence was empty.'))),
  reverse: filter('reverse', [], (value) => {
    const items = [...itemsOf(value)].reverse();
    return isText(value) ? items.join('') : items;
  }),
  sort: filter('sort', ['reverse', 'case_sensitive', 'attribute'], (value, given) =>
    sorted(itemsOf(value), compared(given), given.flag('reverse')),
  ),
  unique: filter('unique', ['case_sensitive', 'attribute'], (value, given) => unique(itemsOf(value), compared(given))),
  groupby: filter('groupby', ['attribute', 'default', 'case_sensitive'], (value, given) =>
    inGroups(itemsOf(value), compared(given)),
  ),
  min: extreme('min'),
  max: extreme('max'),
  sum: filter('sum', ['attribute', 'start'], (value, given) =>
    itemsOf(value)
      .map(atPath(given.get('attribute')))
      .reduce((all, one) => calculate('+', all, one), given.or('start', 0)),
  ),
  batch: filter('batch', ['linecount', 'fill_with'], (value, given) => {
    const items = itemsOf(value);
    const size = Math.max(1, given.number('linecount', 1));
    const rows = Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
      items.slice(i * size, (i + 1) * size),
    );
    const fill = given.or('fill_with', null);
    if (fill !== null) spend(size);
    return rows.map((row) => (fill === null ? row : [...row, ...Array(size - row.length).fill(fill)]));
  }),
  slice: filter('slice', ['slices', 'fill_with'], (value, given) => {
    const items = itemsOf(value);
    const count = Math.max(1, given.number('slices', 1));
    const [size, longer] = [Math.floor(items.length / count), items.length % count];
    const start = (i: number) => i * size + Math.min(i, longer);
    const fill = given.or('fill_with', null);
    spend(count);
    return Array.from({ length: count }, (_, i) => {
      const part = items.slice(start(i), start(i + 1));
      return fill === null || i < longer ? part : [...part, fill];
    });
  }),
  select: choosing('select', true, false),
  reject: choosing('reject', false, false),
  selectattr: choosing('selectattr', true, true),
  rejectattr: choosing('rejectattr', false, true),
  map,
  items: filter('items', [], (value) => {
    if (value instanceof Missing) return [];
    if (!isDict(value)) throw new TemplateError('Can only get item pairs from a mapping.');
    return pairs(value);
  }),
  dictsort: filter('dictsort', ['case_sensitive', 'by', 'reverse'], (value, given) => {
    if (!isDict(value)) throw new TemplateError(`dictsort: a mapping is needed, not ${typeName(value)}`);
    const by = given.text('by') ?? 'key';
    if (by !== 'key' && by !== 'value') throw new TemplateError('You can only sort by either "key" or "value"');
    const place = by === 'key' ? 0 : 1;
    const compare = (pair: Value) => {
      const side = (pair as Tuple).items[place]!;
      return given.flag('case_sensitive') ? side : lowered(side);
    };
    return sorted(pairs(value), compare, given.flag('reverse'));
  }),
};
