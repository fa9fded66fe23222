// A JSON Schema (2020-12, and the older spellings of its keywords) as a grammar. Each set of schemas that must hold together
// is a rule, so recursion ends where a set comes again.
import { QuernError } from '@quern/errors';
import { automaton, choice, type Expression, rule, type Scope, text } from '../expression.ts';
import { anyObject, anyValue, jsonScope, literalValue, type Spelling, word } from '../json/values.ts';
import { programOf } from '../machine/lower.ts';
import { Machine } from '../machine/machine.ts';
import { RegexError } from '../regex/node.ts';
import { spend } from '../work.ts';
import { type Alternative, Alternatives, type Leaf } from './alternatives.ts';
import { arrayExpression } from './arrays.ts';
import { Disjointness } from './disjoint.ts';
import { isEmpty } from './negate.ts';
import { closedShape, type ObjectShape, objectShape } from './object-shape.ts';
import { objectExpression } from './objects.ts';
import { placeAt, References } from './references.ts';
import { numbersOf, textsOf } from './scalars.ts';
import {
  type Excluding,
  isObject,
  notValues,
  type Place,
  refuse,
  type Schema,
  type SchemaObject,
  schemaAt,
} from './schema.ts';
import { bareTexts, quotedTexts, type TextForm } from './text-form.ts';
import { asks, asksAnything, type JsonType, scopedKeywords, typesOf } from './types.ts';
import { canonical, listedValues, scalarAllowed, typeOf } from './values.ts';

export interface SchemaOptions {
  /** A JSON pointer to the schema in the document that is meant; its references are looked for in all of it. Default: the document. */
  readonly at?: string;
  /** Default `json`. */
  readonly spelling?: Spelling;
  /** A text as the whole value stands bare, without quotes, and without any of these in it. */
  readonly bareUntil?: readonly string[];
  /** Objects have no names that their schema does not declare, unless it speaks of them. Default: they may. */
  readonly closed?: boolean;
}

/**
 * The rules of a schema; `root` is the first. Member order is that of the schema.
 * @throws QuernError `schema-invalid`, `schema-unsupported` with keyword and place
 */
export function jsonSchemaScope(
  schema: unknown,
  { at = '', spelling = 'json', bareUntil, closed = false }: SchemaOptions = {},
): Scope {
  const document = schemaAt(schema, '#');
  const root = at === '' ? document : placeAt(document, at);
  if (!root) throw new QuernError('schema-invalid', `The JSON schema has nothing at ${JSON.stringify(at)}.`);
  const compiler = new SchemaCompiler(new References(document.schema), spelling, closed);
  return compiler.compile(root, bareUntil ? bareTexts(bareUntil) : quotedTexts);
}

/** All values of the types that have but a few. */
const fewValues: Leaf = { schema: { enum: [null, true, false] }, path: '#', within: new Set() };
const maxRules = 50_000;
/** A rule is made, named and laid. */
const stepsOfRule = 50;
const encoder = new TextEncoder();

class SchemaCompiler {
  readonly #references: References;
  readonly #alternatives: Alternatives;
  readonly #spelling: Spelling;
  readonly #closed: boolean;
  readonly #rules = new Map<string, Expression>();
  readonly #pending: { name: string; place: Place; make: () => Expression }[] = [];
  readonly #ids = new Map<Schema, number>();

  constructor(references: References, spelling: Spelling, closed: boolean) {
    const disjointness = new Disjointness(() => this.#alternatives);
    this.#references = references;
    this.#spelling = spelling;
    this.#closed = closed;
    this.#alternatives = new Alternatives(references, (a, b) => disjointness.of([a], [b]));
  }

  /** @param texts how texts stand that are the whole value */
  compile(root: Place, texts: TextForm = quotedTexts): Scope {
    const start =
      texts === quotedTexts ? this.valueOf([root]) : this.#decided(root, () => this.#value([root], 'root', texts));
    for (let next = this.#pending.pop(); next; next = this.#pending.pop()) {
      if (this.#rules.size > maxRules)
        refuse(root, '$ref', `the schemas that hold together make more than ${maxRules} rules`);
      this.#rules.set(next.name, this.#decided(next.place, next.make));
    }
    this.#rules.set('root', start);
    return { rules: this.#rules, outer: jsonScope(this.#spelling) };
  }

  /** What satisfies all of `places`: a rule, made later. */
  valueOf(places: readonly Place[]): Expression {
    const distinct = [...new Map(places.map((place) => [place.schema, place])).values()].filter(
      ({ schema }) => !isEmpty(schema),
    );
    if (distinct.some(({ schema }) => schema === false)) return choice([]);
    if (distinct.length === 0) return anyValue;
    const name = `schema ${distinct
      .map(({ schema }) => this.#idOf(schema))
      .sort((a, b) => a - b)
      .join('+')}`;
    return this.#later(name, distinct[0]!, () => this.#value(distinct, name));
  }

  /** All values that satisfy `places`, where each alternative lists its own. */
  valuesOf(places: readonly Place[]): readonly unknown[] | undefined {
    const values = new Map<string, unknown>();
    for (const alternative of this.#alternatives.of(places)) {
      const { types, integer } = typesOf(alternative);
      const few = [...types].every((type) => type === 'null' || type === 'boolean');
      const listed = listedValues(few ? [...alternative, fewValues] : alternative);
      if (!listed) return undefined;
      for (const value of this.#allowed(alternative, listed, types, integer, 'listed'))
        values.set(canonical(value), value);
    }
    return [...values.values()];
  }

  #shapeOf(alternative: Alternative): ObjectShape {
    const shape = objectShape(alternative, (places) => this.#alternatives.of(places));
    return this.#closed ? closedShape(shape, alternative) : shape;
  }

  literal(value: unknown): Expression {
    return literalValue(value, this.#spelling);
  }

  #later(name: string, place: Place, make: () => Expression): Expression {
    if (!this.#rules.has(name)) {
      spend(stepsOfRule, 'rules');
      this.#rules.set(name, choice([]));
      this.#pending.push({ name, place, make });
    }
    return rule(name);
  }

  define(name: string, expression: Expression): void {
    spend(stepsOfRule, 'rules');
    this.#rules.set(name, expression);
  }

  #idOf(schema: Schema): number {
    let id = this.#ids.get(schema);
    if (id === undefined) this.#ids.set(schema, (id = this.#ids.size));
    return id;
  }

  /** Automata that are too large when they are put together are refused where they are. */
  #decided(place: Place, make: () => Expression): Expression {
    try {
      return make();
    } catch (error) {
      if (error instanceof RegexError) refuse(place, 'pattern', `with what stands beside it, ${error.message}`);
      throw error;
    }
  }

  /** Alternatives that ask for the same are one rule, wherever they stand: a list of references does not copy their targets. */
  #value(places: readonly Place[], name: string, texts = quotedTexts): Expression {
    return choice(
      this.#alternatives.of(places).map((alternative, i) => {
        const asking = alternative.filter(({ schema }) => asksAnything(schema as SchemaObject));
        if (asking.length === 0) return texts.anything;
        const scoped = asking.some(({ schema }) => scopedKeywords.some((keyword) => keyword in (schema as object)));
        const whole = scoped || texts !== quotedTexts;
        const own = whole ? `${name} ${i}` : `alternative ${asking.map(({ schema }) => this.#idOf(schema)).join('+')}`;
        return this.#later(own, asking[0]!, () => this.#alternative(scoped ? alternative : asking, own, texts));
      }),
    );
  }

  #alternative(alternative: Alternative, name: string, texts: TextForm): Expression {
    const { types, integer } = typesOf(alternative);
    const values = listedValues(alternative);
    if (values)
      return choice(
        this.#allowed(alternative, values, types, integer, name).map((value) =>
          typeof value === 'string' ? texts.one(value) : this.literal(value),
        ),
      );
    const excluded = alternative.flatMap((leaf) =>
      ((leaf.schema as Excluding)[notValues] ?? []).map((value) => ({ leaf, value })),
    );
    for (const { leaf, value } of excluded)
      if (typeof value === 'object' && value !== null && types.has(typeOf(value) as JsonType))
        refuse(leaf, 'not', 'lists and objects are not excluded one by one');
    const excludes = (value: unknown): boolean => excluded.some((one) => one.value === value);
    const unconstrained =
      excluded.length === 0 &&
      (['string', 'number', 'array', 'object'] as const).every((type) => !asks(alternative, type));
    if (types.size === 6 && !integer && unconstrained) return texts.anything;
    return choice([...types].map((type) => this.#ofType(type, alternative, integer, name, excludes, texts)));
  }

  #ofType(
    type: JsonType,
    alternative: Alternative,
    integer: boolean,
    name: string,
    excludes: (value: unknown) => boolean,
    form = quotedTexts,
  ): Expression {
    switch (type) {
      case 'null':
        return excludes(null) ? choice([]) : word(null, this.#spelling);
      case 'boolean':
        return choice([true, false].filter((value) => !excludes(value)).map((value) => word(value, this.#spelling)));
      case 'number': {
        const numbers = numbersOf(alternative, integer);
        return numbers ? automaton(numbers) : choice([]);
      }
      case 'string': {
        const texts = textsOf(alternative);
        return texts ? form.matching(texts) : choice([]);
      }
      case 'array':
        if (!asks(alternative, 'array')) return rule('json-array');
        return arrayExpression(alternative, name, this);
      case 'object':
        if (!asks(alternative, 'object')) return anyObject;
        return objectExpression(this.#shapeOf(alternative), alternative[0]!, name, this);
    }
  }

  /** Listed values that everything else allows too. Lists and objects are read by the grammar of everything else. */
  #allowed(
    alternative: Alternative,
    values: readonly unknown[],
    types: ReadonlySet<JsonType>,
    integer: boolean,
    name: string,
  ): unknown[] {
    let reads: ((value: unknown) => boolean) | undefined;
    return values.filter((value) => {
      if (!types.has(typeOf(value) as JsonType)) return false;
      if (typeof value !== 'object' || value === null) return scalarAllowed(alternative, value, integer);
      if (!asks(alternative, Array.isArray(value) ? 'array' : 'object')) return true;
      reads ??= this.#readerOf(alternative, name);
      return reads(value);
    });
  }

  #readerOf(alternative: Alternative, name: string): (value: unknown) => boolean {
    const rest = alternative.map((leaf) => {
      const { enum: _, const: __, ...schema } = isObject(leaf.schema) ? leaf.schema : {};
      return { ...leaf, schema };
    });
    // A listed value is meant as it stands.
    const inner = new SchemaCompiler(this.#references, 'json', false);
    const options = (['array', 'object'] as const).map((type) => inner.#ofType(type, rest, false, name, () => false));
    // No text at all beside them, so that there is something to read where nothing is allowed.
    inner.#rules.set(`${name} read`, choice([...options, text('')]));
    const machine = new Machine(programOf(inner.compile({ schema: false, path: '#' }), `${name} read`));
    return (value) => {
      let at = machine.start;
      for (const byte of encoder.encode(JSON.stringify(value))) {
        spend(
          at.threads.reduce((sum, { set }) => sum + set.members.length, 1),
          'lists of values (enum, const)',
        );
        at = machine.afterByte(at, byte);
      }
      return at.complete;
    };
  }
}
