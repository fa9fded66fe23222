// Objects as texts. Properties come in the order in which the schema names them (the field's convention: a model thinks in the
// order that the author chose), those with names of their own come last.
import { choice, type Expression, nothing, repeat, rule, sequence, text } from '../expression.ts';
import { colon, comma, stringOf as quoted, space } from '../json/values.ts';
import { acceptsNothing, acceptsText, intersectionOf } from '../regex/automaton.ts';
import { jsonStringAutomaton } from '../regex/bytes.ts';
import type { ObjectShape, Others } from './object-shape.ts';
import { type Place, refuse } from './schema.ts';

const maxCounted = 5_000;

export interface ObjectCompiler {
  valueOf(places: readonly Place[]): Expression;
  /** A rule of its own. */
  define(name: string, expression: Expression): void;
}

/** How far an object has been read. */
interface Read {
  readonly index: number;
  readonly count: number;
  /** No comma stands in front of the next member. */
  readonly first: boolean;
  /** The member that must be there has been. */
  readonly found: boolean;
}

/** @param prefix for the names of the object's rules */
export function objectExpression(
  shape: ObjectShape,
  place: Place,
  prefix: string,
  compiler: ObjectCompiler,
): Expression {
  const { properties, others, some, min, max } = shape;
  // Counts matter up to where both bounds are decided.
  const most = max < Number.POSITIVE_INFINITY ? max + 1 : min;
  if (most > 0 && properties.length * (most + 1) > maxCounted)
    refuse(place, min > 0 ? 'minProperties' : 'maxProperties', 'beside so many properties');
  const named = ({ names, places }: Others): Expression =>
    sequence([quoted(jsonStringAutomaton(names)), colon, compiler.valueOf(places), space]);
  const other = choice(others.map(named));
  const member = (name: string, places: readonly Place[]): Expression =>
    sequence([text(`${JSON.stringify(name)}:`), space, compiler.valueOf(places), space]);
  const last = some && choice(bothOf(others, some).map(named));
  const ruleOf = ({ index, count, first, found }: Read): string =>
    `${prefix} ${index} ${count} ${first ? 'first' : 'next'}${found ? '' : ' missing'}`;

  const tail = ({ count, first, found }: Read): Expression => {
    if (count > max) return choice([]);
    const need = Math.max(0, min - count);
    // Names that repeat are one property for a reader, so a count of them says nothing.
    if (need > 1 && others.length > 0) refuse(place, 'minProperties', 'names that are not declared may repeat');
    const room = max - count;
    if (!found) {
      if (room <= 0) return choice([]);
      // It stands at the end: of a name that repeats, readers take the last.
      const before = repeat(sequence([other, comma]), 0, room - 1);
      return sequence([...(first ? [] : [comma]), ...(others.length > 0 ? [before] : []), last!]);
    }
    if (others.length === 0 || room <= 0) return need > 0 ? choice([]) : nothing;
    if (!first) return repeat(sequence([comma, other]), need, room);
    const rest = sequence([other, repeat(sequence([comma, other]), Math.max(0, need - 1), room - 1)]);
    return need > 0 ? rest : choice([rest, nothing]);
  };

  const restOf = (read: Read): Expression => (read.index === properties.length ? tail(read) : rule(ruleOf(read)));
  const plain = properties.map(({ name, places }) => member(name, places));
  const finding = properties.map(({ name, places }) =>
    some && acceptsText(some.names, name) ? member(name, [...places, ...some.places]) : undefined,
  );
  for (const [index, { required }] of properties.entries())
    for (let count = 0; count <= Math.min(index, most); count++)
      for (const first of count === 0 ? [true, false] : [false])
        for (const found of some ? [true, false] : [true]) {
          const behind = { index: index + 1, count: Math.min(count + 1, most), first: false, found };
          const taken = (item: Expression, then: Read): Expression =>
            sequence([...(first ? [] : [comma]), item, restOf(then)]);
          const options = [taken(plain[index]!, behind)];
          if (!found && finding[index]) options.push(taken(finding[index], { ...behind, found: true }));
          if (!required) options.push(restOf({ index: index + 1, count, first, found }));
          compiler.define(ruleOf({ index, count, first, found }), choice(options));
        }
  return sequence([text('{'), space, restOf({ index: 0, count: 0, first: true, found: !some }), text('}')]);
}

/** Names of others that are wanted too, with what both ask of the value. */
const bothOf = (others: readonly Others[], { names, places }: Others): Others[] =>
  others
    .map((one) => ({ names: intersectionOf(one.names, names), places: [...one.places, ...places] }))
    .filter((one) => !acceptsNothing(one.names));
