// Ids of words seen before. Language repeats itself: most words of a text are found here and never merged again.

/** Words longer than this are not kept: they rarely come back, and an attacker's would fill the memory. */
const maxWordLength = 64;
const maxWords = 1 << 16;

export class WordCache {
  #words = new Map<string, readonly number[]>();

  get(word: string): readonly number[] | undefined {
    return this.#words.get(word);
  }

  /** Keeps `ids` for `word`. A full cache starts anew, so memory is bounded and no order of use need be kept. */
  set(word: string, ids: readonly number[]): void {
    if (word.length > maxWordLength) return;
    if (this.#words.size >= maxWords) this.#words.clear();
    this.#words.set(word, ids);
  }
}
