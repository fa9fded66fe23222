// BPE by a list of merges over the text itself, not over its bytes (Gemma 4; tokenizer.json's `byte_fallback`): spaces are
// written `▁`, the first symbols are characters, and a character without a token becomes byte tokens `<0x0A>`.
// (Rules: llama.cpp src/llama-vocab.cpp, pre-tokenizer gemma4.)

import type { PreTokenizer } from '../pre-tokenizer/pre-tokenizers.ts';
import { tokenTypes } from '../tokenizer.ts';
import type { Vocabulary } from '../vocabulary/vocabulary.ts';
import { listedMerges, separatorOf } from './merge-list.ts';
import { SymbolTexts } from './symbol-texts.ts';
import { TextMerging } from './text-merging.ts';
import { WordCache } from './word-cache.ts';

const space = '▁';

export class TextBpe {
  readonly #vocabulary: Vocabulary;
  readonly #preTokenizer: Pick<PreTokenizer, 'split' | 'ignoreMerges'>;
  readonly #merging: TextMerging;
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
    const texts = new SymbolTexts(vocabulary);
    this.#merging = new TextMerging(vocabulary, texts, listedMerges(merges, texts));
    const spansWords = merges.some((merge, rank) => {
      const cut = separatorOf(merge, rank);
      return merge[cut + 1] === space && merge[cut - 1] !== space;
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
    return this.#merging.idsOf(word);
  }
}
