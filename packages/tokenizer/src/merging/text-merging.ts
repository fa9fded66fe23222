// Merging of a word by its characters: what SentencePiece's BPE and BPE over texts have in common. Characters are the first
// symbols, and what is no token in the end becomes byte tokens `<0x0A>`.
import type { Vocabulary } from '../vocabulary/vocabulary.ts';
import { appendByteTokens } from './byte-tokens.ts';
import { type MergeOf, MergeTable } from './merge-table.ts';
import { Merger } from './merger.ts';
import type { SymbolTexts } from './symbol-texts.ts';

export class TextMerging {
  readonly #vocabulary: Vocabulary;
  readonly #texts: SymbolTexts;
  readonly #table: MergeTable;
  readonly #merger: Merger;

  constructor(vocabulary: Vocabulary, texts: SymbolTexts, mergeOf: MergeOf) {
    this.#vocabulary = vocabulary;
    this.#texts = texts;
    this.#table = new MergeTable(mergeOf);
    this.#merger = new Merger(this.#table);
  }

  idsOf(word: string): readonly number[] {
    if (this.#texts.isFull) {
      this.#texts.forget();
      this.#table.forget();
    }
    const symbols = Int32Array.from(Array.from(word), (character) => this.#texts.symbolOf(character));
    const count = this.#merger.merge(symbols, symbols.length);
    const ids: number[] = [];
    for (let i = 0; i < count; i++) {
      const symbol = symbols[i] as number;
      if (this.#texts.isToken(symbol)) ids.push(symbol);
      else appendByteTokens(this.#vocabulary, this.#texts.textOf(symbol), ids);
    }
    return ids;
  }
}
