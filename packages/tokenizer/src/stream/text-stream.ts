// Text of tokens as they come. A token may end in the middle of a character; its bytes wait for the rest.

import type { DecodeOptions, Tokenizer } from '../tokenizer.ts';

/** One stream of tokens to text. All pieces joined are `tokenizer.decode` of all ids. */
export class TextStream {
  readonly #tokenizer: Tokenizer;
  readonly #options: DecodeOptions;
  readonly #shown: ReadonlySet<number>;
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });

  /** @param options `shown`: control tokens that are written as their text, where others are not */
  constructor(tokenizer: Tokenizer, options: Pick<DecodeOptions, 'special'> & { shown?: ReadonlySet<number> } = {}) {
    this.#tokenizer = tokenizer;
    this.#options = { special: options.special };
    this.#shown = options.shown ?? new Set();
  }

  /** The text that `ids` complete: whole characters only, perhaps none. Malformed bytes become U+FFFD. */
  push(...ids: number[]): string {
    return ids.map((id) => this.#decode(id)).join('');
  }

  #decode(id: number): string {
    const options = this.#shown.has(id) ? { special: true } : this.#options;
    return this.#decoder.decode(this.#tokenizer.decodeBytes([id], options), { stream: true });
  }

  /** What is left at the end: U+FFFD for an unfinished character, else nothing. The stream may then be used anew. */
  flush(): string {
    return this.#decoder.decode();
  }
}
