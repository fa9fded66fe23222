// The arguments of a function, by place or by name, as Python binds them.
import {
  isNumber,
  isText,
  type NamedValues,
  numberOf,
  rawText,
  TemplateError,
  truth,
  typeName,
  type Value,
  valueOr,
} from './values.ts';

const mostWidth = 1 << 16;

export class Arguments {
  readonly #of: string;
  readonly #values = new Map<string, Value>();

  /** @throws TemplateError for one that the function does not take */
  constructor(of: string, names: readonly string[], placed: readonly Value[], named: NamedValues) {
    this.#of = of;
    if (placed.length > names.length) {
      throw new TemplateError(`${of} takes at most ${names.length} arguments (${placed.length} given)`);
    }
    for (const [i, value] of placed.entries()) this.#values.set(names[i]!, value);
    for (const [name, value] of named) {
      if (!names.includes(name)) throw new TemplateError(`${of} got an unexpected keyword argument '${name}'`);
      if (this.#values.has(name)) throw new TemplateError(`${of} got multiple values for argument '${name}'`);
      this.#values.set(name, value);
    }
  }

  get(name: string): Value | undefined {
    return this.#values.get(name);
  }

  or(name: string, otherwise: Value): Value {
    return valueOr(this.get(name), otherwise);
  }

  need(name: string): Value {
    const value = this.get(name);
    if (value === undefined) throw new TemplateError(`${this.#of} needs its argument '${name}'`);
    return value;
  }

  flag(name: string): boolean {
    const value = this.get(name);
    return value !== undefined && truth(value);
  }

  number(name: string, otherwise: number): number {
    const value = this.get(name) ?? null;
    if (value === null) return otherwise;
    if (!isNumber(value)) throw new TemplateError(`${this.#of}: '${name}' must be a number, not ${typeName(value)}`);
    return numberOf(value);
  }

  /** A number of blanks. @throws TemplateError beyond what any text is filled up to: a template could ask for gigabytes */
  width(name: string, otherwise: number): number {
    const width = this.number(name, otherwise);
    if (width > mostWidth) throw new TemplateError(`${this.#of}: a width of ${width} is too much`);
    return Math.max(0, width);
  }

  /** Undefined for None, too. */
  text(name: string): string | undefined {
    const value = this.get(name) ?? null;
    if (value === null) return undefined;
    if (!isText(value)) throw new TemplateError(`${this.#of}: '${name}' must be a text, not ${typeName(value)}`);
    return rawText(value);
  }
}
