// Python's comparisons: equality of any values, order of what has one, membership.
import { spend } from './spending.ts';
import {
  isDict,
  isNumber,
  isText,
  itemsOf,
  keyOf,
  Missing,
  numberOf,
  rawText,
  TemplateError,
  Tuple,
  typeName,
  type Value,
} from './values.ts';

export function equal(left: Value, right: Value): boolean {
  spend(1);
  if (isNumber(left) && isNumber(right)) return numberOf(left) === numberOf(right);
  if (isText(left) && isText(right)) return rawText(left) === rawText(right);
  if (left instanceof Missing) return right instanceof Missing;
  if (Array.isArray(left)) return Array.isArray(right) && sameItems(left, right);
  if (left instanceof Tuple) return right instanceof Tuple && sameItems(left.items, right.items);
  if (isDict(left)) {
    if (!isDict(right) || left.size !== right.size) return false;
    return [...left].every(([key, item]) => right.has(key) && equal(item, right.get(key)!));
  }
  return left === right;
}

const sameItems = (left: readonly Value[], right: readonly Value[]): boolean =>
  left.length === right.length && left.every((item, i) => equal(item, right[i]!));

/** Less than 0, 0 or more. @throws TemplateError where the two have no order */
export function order(left: Value, right: Value, sign = '<'): number {
  if (isNumber(left) && isNumber(right)) return Math.sign(numberOf(left) - numberOf(right));
  if (isText(left) && isText(right)) return orderOfTexts(rawText(left), rawText(right));
  const [a, b] = [sequence(left), sequence(right)];
  if (a && b && Array.isArray(left) === Array.isArray(right)) {
    const at = a.findIndex((item, i) => i >= b.length || !equal(item, b[i]!));
    return at < 0 ? a.length - b.length : at >= b.length ? 1 : order(a[at]!, b[at]!, sign);
  }
  throw new TemplateError(`'${sign}' not supported between instances of '${typeName(left)}' and '${typeName(right)}'`);
}

const sequence = (value: Value): readonly Value[] | undefined =>
  Array.isArray(value) ? value : value instanceof Tuple ? value.items : undefined;

/** By code points. */
function orderOfTexts(left: string, right: string): number {
  if (left === right) return 0;
  let at = 0;
  while (at < left.length && left[at] === right[at]) at++;
  if (at > 0 && /[\uD800-\uDBFF]/.test(left[at - 1]!)) at--;
  return (left.codePointAt(at) ?? -1) - (right.codePointAt(at) ?? -1);
}

/** `item in container` */
export function contains(container: Value, item: Value): boolean {
  if (isText(container)) {
    if (isText(item)) return rawText(container).includes(rawText(item));
    throw new TemplateError(`'in <string>' requires string as left operand, not ${typeName(item)}`);
  }
  if (isDict(container)) {
    if (item instanceof Missing) return false;
    return container.has(keyOf(item));
  }
  return itemsOf(container).some((one) => equal(one, item));
}
