// Guesses from what is already written: where the last tokens stood before, the tokens behind them may come again (prompt
// lookup, Saxena 2023; ngram-simple of llama.cpp's common/ngram-map.cpp). Texts that repeat themselves are code under edit,
// quotations, tables, lists.
import type { GuessSource, Wanted } from './guess-source.ts';
import type { Speculating } from './options.ts';

/**
 * `most` tokens that stood behind the latest earlier place of the last `size` tokens; none when they stand nowhere else. Where
 * that place reaches into the end, the copy goes on with what it has copied: a text that repeats with any period goes on so.
 */
export function lookUp(tokens: readonly number[], size: number, most: number): number[] {
  const last = tokens.length - size;
  for (let place = last - 1; place >= 0; place--) {
    let same = 0;
    while (same < size && tokens[place + same] === tokens[last + same]) same++;
    if (same < size) continue;
    const guess: number[] = [];
    for (let from = place + size; guess.length < most; from++) guess.push(tokens[from] ?? guess[from - tokens.length]!);
    return guess;
  }
  return [];
}

export class NgramSource implements GuessSource {
  readonly type = 'ngram-simple';
  readonly maxDrafts: number;
  readonly #size: number;

  constructor({ ngramSize, ngramDrafts }: Pick<Speculating, 'ngramSize' | 'ngramDrafts'>) {
    this.#size = ngramSize;
    this.maxDrafts = ngramDrafts;
  }

  async guess(wanted: readonly Wanted[]): Promise<number[][]> {
    return wanted.map(({ sequence, most }) => lookUp(sequence.tokens, this.#size, most));
  }
}
