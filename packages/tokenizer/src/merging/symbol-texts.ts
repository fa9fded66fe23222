// Numbers for the texts that merging handles. A token's number is its id; texts that are no token (characters unknown to
// the vocabulary, halfway results of merges) get the numbers from the vocabulary's size on.

import type { Vocabulary } from '../vocabulary/vocabulary.ts';

/** Texts that are no token: a text may have any number of unknown characters. */
const maxOthers = 1 << 16;

export class SymbolTexts {
  readonly #vocabulary: Pick<Vocabulary, 'texts' | 'idOf'>;
  readonly #others: string[] = [];
  readonly #symbolOf = new Map<string, number>();

  constructor(vocabulary: Pick<Vocabulary, 'texts' | 'idOf'>) {
    this.#vocabulary = vocabulary;
  }

  /** The symbol of `text`, made if there is none. */
  symbolOf(text: string): number {
    const known = this.#vocabulary.idOf.get(text) ?? this.#symbolOf.get(text);
    if (known !== undefined) return known;
    const symbol = this.#vocabulary.texts.length + this.#others.push(text) - 1;
    this.#symbolOf.set(text, symbol);
    return symbol;
  }

  textOf(symbol: number): string {
    const tokens = this.#vocabulary.texts;
    return (symbol < tokens.length ? tokens[symbol] : this.#others[symbol - tokens.length]) as string;
  }

  isToken(symbol: number): boolean {
    return symbol < this.#vocabulary.texts.length;
  }

  /** Too many texts are kept that are no token. */
  get isFull(): boolean {
    return this.#others.length > maxOthers;
  }

  /** Forgets texts that are no token: their numbers will be those of others. */
  forget(): void {
    this.#others.length = 0;
    this.#symbolOf.clear();
  }
}
