// Byte-level BPE (GPT-2 and most models since): the pre-tokenizer cuts the text into words, the bytes of each word are
// its first symbols, and the merge list joins them in order of rank.

import { QuernError } from '@quern/errors';
import type { PreTokenizer } from '../pre-tokenizer/pre-tokenizers.ts';
import { tokenTypes } from '../tokenizer.ts';
import { byteCharacters } from '../vocabulary/byte-level.ts';
import type { Vocabulary } from '../vocabulary/vocabulary.ts';
import { listedMerges } from './merge-list.ts';
import { MergeTable } from './merge-table.ts';
import { Merger } from './merger.ts';
import { SymbolTexts } from './symbol-texts.ts';
import { WordCache } from './word-cache.ts';

export class ByteLevelBpe {
  readonly #vocabulary: Vocabulary;
  readonly #preTokenizer: PreTokenizer;
  readonly #texts: SymbolTexts;
  readonly #symbolOfByte: Int32Array;
  readonly #merger: Merger;
  readonly #cache = new WordCache();
  readonly #utf8 = new TextEncoder();

  /** `merges`: `left right` in order of rank, as in `tokenizer.ggml.merges`. */
  constructor(vocabulary: Vocabulary, merges: readonly string[], preTokenizer: PreTokenizer) {
    this.#vocabulary = vocabulary;
    this.#preTokenizer = preTokenizer;
    const texts = new SymbolTexts(vocabulary);
    this.#symbolOfByte = Int32Array.from(byteCharacters, (character) => texts.symbolOf(character));
    this.#texts = texts;
    this.#merger = new Merger(new MergeTable(listedMerges(merges, texts)));
  }

  /** Appends the ids of `text`, which holds no special tokens and no lone surrogates. */
  encode(text: string, ids: number[]): void {
    for (const word of this.#preTokenizer.split(text)) {
      let known = this.#cache.get(word);
      if (!known) {
        known = this.#encodeWord(word);
        this.#cache.set(word, known);
      }
      for (let i = 0; i < known.length; i++) ids.push(known[i] as number);
    }
  }

  #encodeWord(word: string): readonly number[] {
    const bytes = this.#utf8.encode(word);
    if (this.#preTokenizer.ignoreMerges) {
      let text = '';
      for (const byte of bytes) text += byteCharacters[byte];
      const whole = this.#vocabulary.idOf.get(text);
      if (whole !== undefined && this.#vocabulary.types[whole] !== tokenTypes.control) return [whole];
    }
    const symbols = Int32Array.from(bytes, (byte) => this.#symbolOfByte[byte] as number);
    const count = this.#merger.merge(symbols, symbols.length);
    const ids: number[] = [];
    for (let i = 0; i < count; i++) this.#appendSymbol(symbols[i] as number, ids);
    return ids;
  }

  /** A symbol that is no token (a merge may make one) is written by its characters. */
  #appendSymbol(symbol: number, ids: number[]): void {
    if (this.#texts.isToken(symbol)) {
      ids.push(symbol);
      return;
    }
    const text = this.#texts.textOf(symbol);
    for (const character of text) {
      const id = this.#vocabulary.idOf.get(character);
      if (id === undefined) {
        const byte = byteCharacters.indexOf(character);
        throw new QuernError(
          'tokenizer-byte-missing',
          `The vocabulary has no token for byte 0x${byte.toString(16).padStart(2, '0')}, which the text contains.`,
          { remedy: 'Leave the character out of the text, or use a model with a complete byte vocabulary.' },
        );
      }
      ids.push(id);
    }
  }
}
