// Text of tokens as they come. A token may end in the middle of a character; its bytes wait for the rest.

import type { DecodeOptions, Tokenizer } from '../tokenizer.ts';

/** One stream of tokens to text. All pieces joined are `tokenizer.decode` of all ids. */
export class TextStream {
  readonly #tokenizer: Tokenizer;
  readonly #options: DecodeOptions;
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });

  constructor(tokenizer: Tokenizer, options: Pick<DecodeOptions, 'special'> = {}) {
    this.#tokenizer = tokenizer;
    this.#options = { special: options.special };
  }

  /** The text that `ids` complete: whole characters only, perhaps none. Malformed bytes become U+FFFD. */
  push(...ids: number[]): string {
    return this.#decoder.decode(this.#tokenizer.decodeBytes(ids, this.#options), { stream: true });
  }

  /** What is left at the end: U+FFFD for an unfinished character, else nothing. The stream may then be used anew. */
  flush(): string {
    return this.#decoder.decode();
  }
}
