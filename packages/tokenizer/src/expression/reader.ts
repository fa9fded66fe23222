// The text of a regular expression while it is read.

/** What is not an expression of this dialect, or asks for what is not supported. */
export class ExpressionError extends Error {}

/** Groups and sets in each other. */
const maxDepth = 100;

export class ExpressionReader {
  readonly #source: string;
  #depth = 0;
  at = 0;
  ignoreCase = false;

  constructor(source: string) {
    this.#source = source;
  }

  get isAtEnd(): boolean {
    return this.at >= this.#source.length;
  }

  next(): string {
    const codePoint = this.#source.codePointAt(this.at);
    if (codePoint === undefined) throw new ExpressionError('it ends within an escape or a set');
    const character = String.fromCodePoint(codePoint);
    this.at += character.length;
    return character;
  }

  sees(text: string): boolean {
    return this.#source.startsWith(text, this.at);
  }

  take(text: string): boolean {
    if (!this.sees(text)) return false;
    this.at += text.length;
    return true;
  }

  /** @param sticky with the flag y */
  match(sticky: RegExp): RegExpExecArray | undefined {
    sticky.lastIndex = this.at;
    const found = sticky.exec(this.#source) ?? undefined;
    if (found) this.at += found[0].length;
    return found;
  }

  /** Reads what stands in a group or a set. */
  inside<T>(read: () => T): T {
    if (++this.#depth > maxDepth) throw new ExpressionError(`it has more than ${maxDepth} groups in each other`);
    const result = read();
    this.#depth--;
    return result;
  }
}
