// Whether two schemas are known to have no value in common: `oneOf` is then `anyOf`. What is not known counts as common.
import { QuernError } from '@quern/errors';
import { acceptsNothing, intersectionOf } from '../regex/automaton.ts';
import type { Alternative, Alternatives } from './alternatives.ts';
import { objectShape } from './objects.ts';
import { boundsOf, textsOf } from './scalars.ts';
import type { Place } from './schema.ts';
import { type JsonType, typesOf } from './types.ts';
import { canonical, listedValues, scalarAllowed, typeOf } from './values.ts';

const maxDepth = 4;

export class Disjointness {
  readonly #alternatives: () => Alternatives;

  constructor(alternatives: () => Alternatives) {
    this.#alternatives = alternatives;
  }

  of(a: readonly Place[], b: readonly Place[], depth = 0): boolean {
    if (depth > maxDepth) return false;
    try {
      const ofB = this.#alternatives().of(b);
      return this.#alternatives()
        .of(a)
        .every((one) => ofB.every((other) => this.#apart(one, other, depth)));
    } catch (error) {
      if (error instanceof QuernError) return false;
      throw error;
    }
  }

  #apart(a: Alternative, b: Alternative, depth: number): boolean {
    const typesA = typesOf(a);
    const typesB = typesOf(b);
    const common = [...typesA.types].filter((type) => typesB.types.has(type));
    if (common.length === 0) return true;
    const values = listedValues(a);
    const others = listedValues(b);
    if (values && others) {
      const known = new Set(others.map(canonical));
      return !values.some((value) => known.has(canonical(value)));
    }
    const [listed, free, types] = values ? [values, b, typesB] : [others, a, typesA];
    if (listed?.every((value) => isScalar(value) && !this.#allows(free, types, value))) return true;
    return common.every((type) => this.#apartIn(type, a, b, depth));
  }

  #allows(alternative: Alternative, { types, integer }: ReturnType<typeof typesOf>, value: unknown): boolean {
    return types.has(typeOf(value) as JsonType) && scalarAllowed(alternative, value, integer);
  }

  #apartIn(type: JsonType, a: Alternative, b: Alternative, depth: number): boolean {
    if (type === 'string') {
      const one = textsOf(a);
      const other = textsOf(b);
      if (!one || !other || one.min > other.max || other.min > one.max) return true;
      return !!one.automaton && !!other.automaton && acceptsNothing(intersectionOf(one.automaton, other.automaton));
    }
    if (type === 'number') {
      const one = boundsOf(a);
      const other = boundsOf(b);
      const below = (max: typeof one.max, min: typeof one.min): boolean =>
        !!max && !!min && (max.value < min.value || (max.value === min.value && (max.exclusive || min.exclusive)));
      return below(one.max, other.min) || below(other.max, one.min);
    }
    if (type !== 'object') return false;
    return this.#objectsApart(a, b, depth) || this.#objectsApart(b, a, depth);
  }

  /** A property that one asks for and the other has not, or has otherwise. */
  #objectsApart(a: Alternative, b: Alternative, depth: number): boolean {
    const other = objectShape(b);
    const declared = new Map(other.properties.map((property) => [property.name, property]));
    return objectShape(a).properties.some(({ name, places, required }) => {
      if (!required) return false;
      const found = declared.get(name);
      if (!found) return other.others.length === 0;
      return this.of(places, found.places, depth + 1);
    });
  }
}

const isScalar = (value: unknown): boolean => typeof value !== 'object' || value === null;
