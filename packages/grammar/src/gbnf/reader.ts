// A text read character by character, with the place for error messages.
import { QuernError } from '@quern/errors';

export class Reader {
  readonly #characters: readonly string[];
  #at = 0;

  constructor(text: string) {
    this.#characters = [...text];
  }

  /** Empty at the end. */
  get next(): string {
    return this.#characters[this.#at] ?? '';
  }

  get ended(): boolean {
    return this.#at >= this.#characters.length;
  }

  take(): string {
    if (this.ended) this.refuse('the grammar ends unexpectedly');
    return this.#characters[this.#at++]!;
  }

  takeIf(text: string): boolean {
    const characters = [...text];
    if (!characters.every((character, i) => this.#characters[this.#at + i] === character)) return false;
    this.#at += characters.length;
    return true;
  }

  takeWhile(matches: RegExp): string {
    const from = this.#at;
    while (!this.ended && matches.test(this.next)) this.#at++;
    return this.#characters.slice(from, this.#at).join('');
  }

  peek(offset: number): string {
    return this.#characters[this.#at + offset] ?? '';
  }

  /** @throws QuernError `grammar-syntax` with line and column */
  refuse(problem: string): never {
    const before = this.#characters.slice(0, this.#at).join('').split('\n');
    const place = `line ${before.length}, column ${[...before.at(-1)!].length + 1}`;
    throw new QuernError('grammar-syntax', `The grammar cannot be read: ${problem} (${place}).`);
  }
}
