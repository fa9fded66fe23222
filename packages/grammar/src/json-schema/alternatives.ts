// What holds a schema together in place ($ref, allOf, anyOf, oneOf, not, if, dependencies) is taken apart: a schema becomes a
// list of alternatives, each a list of schemas that must all hold, of which only the keywords about values count.
import { spend } from '../work.ts';
import { everything, type Left, narrowed } from './contradictions.ts';
import { negation } from './negate.ts';
import type { References } from './references.ts';
import { inside, isObject, listOf, mapOf, type Place, refuse, type Schema } from './schema.ts';

export interface Leaf extends Place {
  /** The schemas that it stands in, in place, itself included. */
  readonly within: ReadonlySet<Schema>;
}
export type Alternative = readonly Leaf[];

const maxAlternatives = 500;

interface State {
  /** `own`: what it holds together is done, its keywords about values are left. */
  readonly pending: readonly (Leaf & { readonly own?: boolean })[];
  readonly leaves: Alternative;
  readonly left: Left;
}

export class Alternatives {
  readonly #references: References;
  readonly #disjoint: (a: Place, b: Place) => boolean;
  readonly #negations = new Map<Schema, Place[]>();
  readonly #opposites = new Map<Schema, Place>();

  /** @param disjoint whether it is known that no value satisfies both */
  constructor(references: References, disjoint: (a: Place, b: Place) => boolean) {
    this.#references = references;
    this.#disjoint = disjoint;
  }

  /** @throws QuernError `schema-unsupported` */
  of(places: readonly Place[]): Alternative[] {
    const found: Alternative[] = [];
    const states: State[] = [
      { pending: places.map((place) => ({ ...place, within: new Set() })), leaves: [], left: everything },
    ];
    for (let state = states.pop(); state; state = states.pop()) {
      spend(
        1 + state.pending.length + state.leaves.length,
        'alternatives (anyOf, oneOf, not, if and what they refer to)',
      );
      const [next, ...rest] = state.pending;
      if (!next) {
        found.push(state.leaves);
        continue;
      }
      if (next.schema === false) continue;
      if (next.own) {
        states.push({ ...state, pending: rest, leaves: [...state.leaves, next] });
        continue;
      }
      if (next.within.has(next.schema)) refuse(next, '$ref', 'the schema refers to itself and to nothing else');
      if (next.schema === true || state.leaves.some(({ schema }) => schema === next.schema)) {
        states.push({ ...state, pending: rest });
        continue;
      }
      const left = narrowed(state.left, next);
      if (!left) continue;
      const leaf = { ...next, within: new Set([...next.within, next.schema]) };
      // Later alternatives lie deeper in the stack, so that they are found in their order.
      for (const parts of this.#branches(leaf).toReversed()) {
        const inner = parts.map((part) => ({ ...part, within: leaf.within }));
        const { leaves } = state;
        if (comesLast(leaf)) states.push({ pending: [...inner, { ...leaf, own: true }, ...rest], leaves, left });
        else states.push({ pending: [...inner, ...rest], leaves: [...leaves, leaf], left });
      }
      if (states.length + found.length > maxAlternatives)
        refuse(next, 'anyOf', `its alternatives multiply to more than ${maxAlternatives}`);
    }
    return found;
  }

  /** Lists of schemas, one of which must hold as a whole. */
  #branches(place: Place): Place[][] {
    const schema = place.schema as Readonly<Record<string, unknown>>;
    const fixed: Place[] = [];
    for (const name of ['$ref', '$dynamicRef', '$recursiveRef'])
      if (schema[name] !== undefined) fixed.push(this.#references.target(place, name));
    fixed.push(...this.#list(place, 'allOf'));
    let branches: Place[][] = [fixed];
    const multiply = (options: Place[][]): void => {
      spend(branches.length * options.length, 'alternatives (anyOf, oneOf, not, if and what they refer to)');
      branches = branches.flatMap((branch) => options.map((option) => [...branch, ...option]));
      if (branches.length > maxAlternatives)
        refuse(place, 'anyOf', `alternatives multiply to more than ${maxAlternatives}`);
    };
    if (schema.anyOf !== undefined) multiply(this.#list(place, 'anyOf').map((option) => [option]));
    if (schema.oneOf !== undefined) multiply(this.#exactlyOne(this.#list(place, 'oneOf')));
    if (schema.not !== undefined)
      multiply(this.#negation(this.#resolved(inside(place, 'not'))).map((option) => [option]));
    if (schema.if !== undefined && (schema.then !== undefined || schema.else !== undefined))
      multiply(this.#conditional(place));
    for (const dependency of dependencies(place)) multiply(dependency);
    return branches;
  }

  /** The same objects for the same schema, so that recursion comes back to what is known. */
  #negation(place: Place): Place[] {
    let found = this.#negations.get(place.schema);
    if (!found) {
      found = negation(place, 'not', (of) => this.#references.target(of, '$ref'));
      this.#negations.set(place.schema, found);
    }
    return found;
  }

  #list(place: Place, name: string): Place[] {
    return (listOf(place, name) ?? []).map((_, i) => inside(place, name, i));
  }

  /** Each option, and none of those that could hold beside it. */
  #exactlyOne(options: Place[]): Place[][] {
    spend(options.length ** 2, 'alternatives (anyOf, oneOf, not, if and what they refer to)');
    return options.map((option, i) => [
      option,
      ...options.filter((other, j) => i !== j && !this.#disjoint(option, other)).map((other) => this.#opposite(other)),
    ]);
  }

  #conditional(place: Place): Place[][] {
    const condition = inside(place, 'if');
    const { then = true, else: otherwise = true } = place.schema as { then?: unknown; else?: unknown };
    return [
      [condition, then === true ? { schema: true, path: place.path } : inside(place, 'then')],
      [this.#opposite(condition), otherwise === true ? { schema: true, path: place.path } : inside(place, 'else')],
    ];
  }

  /** One object for each, so that recursion comes back to what is known. */
  #opposite(place: Place): Place {
    let opposite = this.#opposites.get(place.schema);
    if (!opposite) {
      opposite = { schema: { not: this.#resolved(place).schema }, path: place.path };
      this.#opposites.set(place.schema, opposite);
    }
    return opposite;
  }

  /** A schema that only refers is what it refers to. */
  #resolved(place: Place): Place {
    let at = place;
    for (let steps = 0; steps < 100 && isObject(at.schema) && typeof at.schema.$ref === 'string'; steps++) {
      if (Object.keys(at.schema).length > 1) break;
      at = this.#references.target(at, '$ref');
    }
    return at;
  }
}

/** Properties come in the order in which the document names them, so what stands before `properties` comes first. */
function comesLast({ schema }: Place): boolean {
  const names = Object.keys(schema as object);
  const properties = names.indexOf('properties');
  return (
    properties > 0 && names.slice(0, properties).some((name) => ['$ref', 'allOf', 'anyOf', 'oneOf'].includes(name))
  );
}

/** `dependentRequired`, `dependentSchemas` and the older `dependencies`: without the property, or with what it asks for. */
function dependencies(place: Place): Place[][][] {
  return ['dependentRequired', 'dependentSchemas', 'dependencies'].flatMap((name) =>
    Object.entries(mapOf(place, name) ?? {}).map(([key, asked]) => {
      const without: Place = { schema: { type: 'object', properties: { [key]: false } }, path: place.path };
      const others: Place = { schema: { type: ['null', 'boolean', 'number', 'string', 'array'] }, path: place.path };
      const present: Place = { schema: { type: 'object', required: [key] }, path: place.path };
      const rest: Place = Array.isArray(asked)
        ? { schema: { required: asked }, path: `${place.path}/${name}/${key}` }
        : inside(place, name, key);
      return [[present, rest], [without], [others]];
    }),
  );
}
