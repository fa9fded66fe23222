// What an alternative says, found out when it is first asked for and kept.
import type { Alternative } from './alternatives.ts';
import type { AlternativesOf } from './names.ts';
import { type ObjectShape, objectShape, type Property } from './object-shape.ts';
import { type Texts, textsOf } from './scalars.ts';
import { type Types, typesOf } from './types.ts';
import { canonical, listedValues } from './values.ts';

export class Facts {
  readonly alternative: Alternative;
  readonly types: Types;
  /** Listed values by their canonical text; undefined: no list says which. */
  readonly values: ReadonlyMap<string, unknown> | undefined;
  #shape?: ObjectShape;
  #declared?: ReadonlyMap<string, Property>;
  #texts?: { readonly of: Texts | undefined };

  readonly #alternativesOf: AlternativesOf;

  constructor(alternative: Alternative, alternativesOf: AlternativesOf) {
    this.alternative = alternative;
    this.#alternativesOf = alternativesOf;
    this.types = typesOf(alternative);
    const values = listedValues(alternative);
    this.values = values && new Map(values.map((value) => [canonical(value), value]));
  }

  get texts(): Texts | undefined {
    this.#texts ??= { of: textsOf(this.alternative) };
    return this.#texts.of;
  }

  get shape(): ObjectShape {
    this.#shape ??= objectShape(this.alternative, this.#alternativesOf);
    return this.#shape;
  }

  get declared(): ReadonlyMap<string, Property> {
    this.#declared ??= new Map(this.shape.properties.map((property) => [property.name, property]));
    return this.#declared;
  }

  get required(): readonly Property[] {
    return this.shape.properties.filter(({ required }) => required);
  }
}
