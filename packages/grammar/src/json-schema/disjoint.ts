// Whether two schemas are known to have no value in common: `oneOf` is then `anyOf`. What is not known counts as common.
// All that is found out is kept: `oneOf` compares each of its schemas with each other, and they refer to each other too.
import { QuernError } from '@quern/errors';
import { acceptsNothing, intersectionOf } from '../regex/automaton.ts';
import { RegexError } from '../regex/node.ts';
import { spend } from '../work.ts';
import type { Alternatives } from './alternatives.ts';
import { Facts } from './facts.ts';
import { boundsOf } from './scalars.ts';
import type { Place, Schema } from './schema.ts';
import type { JsonType } from './types.ts';
import { scalarAllowed, typeOf } from './values.ts';

/** Objects within objects that are compared. */
const maxDepth = 4;
/** Comparisons for which another one has to be made first. */
const maxNesting = 50;

export class Disjointness {
  readonly #alternatives: () => Alternatives;
  readonly #ids = new Map<Schema, number>();
  /** By the schemas that hold together; undefined: not known, or just being found out. */
  readonly #taken = new Map<string, readonly Facts[] | undefined>();
  readonly #apart = new Map<string, boolean>();
  #nesting = 0;

  constructor(alternatives: () => Alternatives) {
    this.#alternatives = alternatives;
  }

  of(a: readonly Place[], b: readonly Place[], depth = 0): boolean {
    if (depth > maxDepth || this.#nesting > maxNesting) return false;
    spend(3, 'alternatives (anyOf, oneOf, not, if and what they refer to)');
    const keyA = this.#keyOf(a);
    const keyB = this.#keyOf(b);
    const key = `${depth};${keyA < keyB ? `${keyA};${keyB}` : `${keyB};${keyA}`}`;
    const known = this.#apart.get(key);
    if (known !== undefined) return known;
    // A comparison that leads back to itself finds it not known.
    this.#apart.set(key, false);
    this.#nesting++;
    try {
      const ofA = this.#factsOf(a, keyA);
      const ofB = this.#factsOf(b, keyB);
      const apart = !!ofA && !!ofB && ofA.every((one) => ofB.every((other) => this.#factsApart(one, other, depth)));
      this.#apart.set(key, apart);
      return apart;
    } catch (error) {
      if (isUnknown(error)) return false;
      throw error;
    } finally {
      this.#nesting--;
    }
  }

  #keyOf(places: readonly Place[]): string {
    return places
      .map(({ schema }) => {
        let id = this.#ids.get(schema);
        if (id === undefined) this.#ids.set(schema, (id = this.#ids.size));
        return id;
      })
      .join('+');
  }

  #factsOf(places: readonly Place[], key: string): readonly Facts[] | undefined {
    if (this.#taken.has(key)) return this.#taken.get(key);
    this.#taken.set(key, undefined);
    const facts = this.#alternatives()
      .of(places)
      .map((alternative) => new Facts(alternative, (of) => this.#alternatives().of(of)));
    this.#taken.set(key, facts);
    return facts;
  }

  #factsApart(a: Facts, b: Facts, depth: number): boolean {
    spend(1, 'alternatives (anyOf, oneOf, not, if and what they refer to)');
    const common = [...a.types.types].filter((type) => b.types.types.has(type));
    if (common.length === 0) return true;
    if (a.values && b.values) {
      const [few, many] = a.values.size < b.values.size ? [a.values, b.values] : [b.values, a.values];
      spend(few.size, 'lists of values (enum, const)');
      return ![...few.keys()].some((value) => many.has(value));
    }
    const [listed, free] = a.values ? [a, b] : [b, a];
    if (listed.values && noneAllowed([...listed.values.values()], free)) return true;
    return common.every((type) => this.#apartIn(type, a, b, depth));
  }

  #apartIn(type: JsonType, a: Facts, b: Facts, depth: number): boolean {
    if (type === 'string') {
      const one = a.texts;
      const other = b.texts;
      if (!one || !other || one.min > other.max || other.min > one.max) return true;
      return !!one.automaton && !!other.automaton && acceptsNothing(intersectionOf(one.automaton, other.automaton));
    }
    if (type === 'number') {
      const one = boundsOf(a.alternative);
      const other = boundsOf(b.alternative);
      const below = (max: typeof one.max, min: typeof one.min): boolean =>
        !!max && !!min && (max.value < min.value || (max.value === min.value && (max.exclusive || min.exclusive)));
      return below(one.max, other.min) || below(other.max, one.min);
    }
    if (type !== 'object') return false;
    return this.#objectsApart(a, b, depth) || this.#objectsApart(b, a, depth);
  }

  /** A property that one asks for and the other has not, or has otherwise. */
  #objectsApart(a: Facts, b: Facts, depth: number): boolean {
    return a.required.some(({ name, places }) => {
      spend(1, 'the properties of objects');
      const found = b.declared.get(name);
      if (!found) return b.shape.others.length === 0;
      return this.of(places, found.places, depth + 1);
    });
  }
}

/** A schema that cannot be enforced is for who enforces it; here it is not known. Too much work is too much everywhere. */
const isUnknown = (error: unknown): boolean =>
  error instanceof RegexError || (error instanceof QuernError && error.code !== 'grammar-too-much-work');

function noneAllowed(values: readonly unknown[], { alternative, types: { types, integer } }: Facts): boolean {
  spend(values.length, 'lists of values (enum, const)');
  return values.every(
    (value) =>
      (typeof value !== 'object' || value === null) &&
      !(types.has(typeOf(value) as JsonType) && scalarAllowed(alternative, value, integer)),
  );
}
