// Numbers for the texts that merging handles. A token's number is its id; texts that are no token (characters unknown to
// the vocabulary, halfway results of merges) get the numbers from the vocabulary's size on.

import type { Vocabulary } from '../vocabulary/vocabulary.ts';

export class SymbolTexts {
  readonly #vocabulary: Vocabulary;
  readonly #others: string[] = [];
  readonly #symbolOf = new Map<string, number>();

  constructor(vocabulary: Vocabulary) {
    this.#vocabulary = vocabulary;
  }

  /** The symbol of `text`, made if there is none. */
  symbolOf(text: string): number {
    const known = this.find(text);
    if (known !== undefined) return known;
    const symbol = this.#vocabulary.texts.length + this.#others.push(text) - 1;
    this.#symbolOf.set(text, symbol);
    return symbol;
  }

  find(text: string): number | undefined {
    return this.#vocabulary.idOf.get(text) ?? this.#symbolOf.get(text);
  }

  textOf(symbol: number): string {
    const tokens = this.#vocabulary.texts;
    return (symbol < tokens.length ? tokens[symbol] : this.#others[symbol - tokens.length]) as string;
  }
}
