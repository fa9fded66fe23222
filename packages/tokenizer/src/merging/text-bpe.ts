// BPE by a list of merges over the text itself, not over its bytes (Gemma 4; tokenizer.json's `byte_fallback`): spaces are
// written `▁`, the first symbols are characters, and a character without a token becomes byte tokens `<0x0A>`.
// (Rules: llama.cpp src/llama-vocab.cpp, pre-tokenizer gemma4.)

import type { PreTokenizer } from '../pre-tokenizer/pre-tokenizers.ts';
import { tokenTypes } from '../tokenizer.ts';
import type { Vocabulary } from '../vocabulary/vocabulary.ts';
import { appendByteTokens } from './byte-tokens.ts';
import { partsOfMerge, tableOfMerges } from './merge-list.ts';
import { Merger } from './merger.ts';
import { SymbolTexts } from './symbol-texts.ts';
import { WordCache } from './word-cache.ts';

const space = '▁';
/** A character that no token and no merge has. */
const noSymbol = -2;

export class TextBpe {
  readonly #vocabulary: Vocabulary;
  readonly #preTokenizer: Pick<PreTokenizer, 'split' | 'ignoreMerges'>;
  readonly #texts: SymbolTexts;
  readonly #merger: Merger;
  readonly #cache = new WordCache();
  /** Where a line may be cut before merging without changing the result. */
  readonly #words: RegExp;

  constructor(
    vocabulary: Vocabulary,
    merges: readonly string[],
    preTokenizer: Pick<PreTokenizer, 'split' | 'ignoreMerges'>,
  ) {
    this.#vocabulary = vocabulary;
    this.#preTokenizer = preTokenizer;
    this.#texts = new SymbolTexts(vocabulary);
    this.#merger = new Merger(tableOfMerges(merges, this.#texts));
    const spansWords = merges.some((merge, rank) => {
      const [left, right] = partsOfMerge(merge, rank);
      return right.startsWith(space) && !left.endsWith(space);
    });
    this.#words = spansWords ? /[\s\S]+/gu : /▁*[^▁]+|▁+/gu;
  }

  /** Appends the ids of `text`, which holds no special tokens and no lone surrogates. */
  encode(text: string, ids: number[]): void {
    for (const line of this.#preTokenizer.split(text.replaceAll(' ', space))) {
      for (const [word] of line.matchAll(this.#words)) {
        let known = this.#cache.get(word);
        if (!known) {
          known = this.#encodeWord(word);
          this.#cache.set(word, known);
        }
        for (let i = 0; i < known.length; i++) ids.push(known[i] as number);
      }
    }
  }

  #encodeWord(word: string): readonly number[] {
    if (this.#preTokenizer.ignoreMerges) {
      const whole = this.#vocabulary.idOf.get(word);
      if (whole !== undefined && this.#vocabulary.types[whole] !== tokenTypes.control) return [whole];
    }
    const characters = Array.from(word);
    const symbols = Int32Array.from(characters, (character) => this.#texts.find(character) ?? noSymbol);
    const count = this.#merger.merge(symbols, symbols.length);
    const ids: number[] = [];
    let at = 0;
    for (let i = 0; i < count; i++) {
      const symbol = symbols[i] as number;
      const text = symbol === noSymbol ? (characters[at] as string) : this.#texts.textOf(symbol);
      if (symbol !== noSymbol && symbol < this.#vocabulary.texts.length) ids.push(symbol);
      else appendByteTokens(this.#vocabulary, text, ids);
      for (let unit = 0; unit < text.length; at++) unit += (characters[at] as string).length;
    }
    return ids;
  }
}
