// WordPiece: words, each covered from left to right by the longest tokens that fit (BERT and its descendants). GGUF keeps
// the vocabulary the other way round: a token that begins a word is `▁word`, one that goes on has no `##`.
// What counts as a word: transformers' BertNormalizer and BertPreTokenizer, which llama.cpp's llm_tokenizer_wpm follows.
import type { Vocabulary } from '../vocabulary/vocabulary.ts';

export interface WordPieceOptions {
  readonly lowercase: boolean;
  readonly stripAccents: boolean;
  /** Stands for a word that the vocabulary cannot spell. */
  readonly unknown: number;
}

/** Longer words are unknown (`max_input_chars_per_word`, the same in all models). */
export const maxWordCharacters = 100;

const accent = /\p{Mn}/u;
const space = /\p{White_Space}/u;
const control = /[\p{Cc}\p{Cf}\p{Co}]/u;
const punctuation = /[\p{P}!-/:-@[-`{-~]/u;

/** Blocks of Chinese characters, as the tokenizers library has them: each character is a word. */
const chinese: readonly (readonly [first: number, last: number])[] = [
  [0x4e00, 0x9fff],
  [0x3400, 0x4dbf],
  [0x20000, 0x2a6df],
  [0x2a700, 0x2b73f],
  [0x2b740, 0x2b81f],
  [0x2b920, 0x2ceaf],
  [0xf900, 0xfaff],
  [0x2f800, 0x2fa1f],
];

export class WordPiece {
  readonly #vocabulary: Vocabulary;
  readonly #options: WordPieceOptions;

  constructor(vocabulary: Vocabulary, options: WordPieceOptions) {
    this.#vocabulary = vocabulary;
    this.#options = options;
  }

  encode(text: string, ids: number[]): void {
    for (const word of wordsOf(text, this.#options)) this.#appendWord(word, ids);
  }

  #appendWord(word: string, ids: number[]): void {
    const characters = Array.from(word);
    const found = characters.length <= maxWordCharacters ? this.#tokensOf(characters) : undefined;
    if (found) ids.push(...found);
    else ids.push(this.#options.unknown);
  }

  /** Undefined when some rest begins with no token. */
  #tokensOf(characters: readonly string[]): number[] | undefined {
    const { idOf } = this.#vocabulary;
    const found: number[] = [];
    for (let start = 0; start < characters.length; ) {
      let end = characters.length;
      let id: number | undefined;
      for (; end > start; end--) {
        const part = characters.slice(start, end).join('');
        id = idOf.get(start === 0 ? `▁${part}` : part);
        if (id !== undefined) break;
      }
      if (id === undefined) return undefined;
      found.push(id);
      start = end;
    }
    return found;
  }
}

/** Words in order: runs between white space, and every punctuation mark and Chinese character by itself. */
export function wordsOf(
  text: string,
  { lowercase, stripAccents }: Pick<WordPieceOptions, 'lowercase' | 'stripAccents'>,
): string[] {
  const words: string[] = [];
  let word = '';
  const finish = () => {
    if (word !== '') words.push(word);
    word = '';
  };
  for (const character of normalized(text, stripAccents)) {
    if (isDropped(character) || (stripAccents && accent.test(character))) continue;
    if (space.test(character)) finish();
    else if (punctuation.test(character) || isChinese(character)) {
      finish();
      words.push(character);
    } else {
      // By itself: the last sigma of a word is no other letter here.
      word += lowercase ? character.toLowerCase() : character;
    }
  }
  finish();
  return words;
}

const normalized = (text: string, stripAccents: boolean): string => (stripAccents ? text.normalize('NFD') : text);

/** Of the control characters three are blanks. */
const isDropped = (character: string): boolean =>
  character === '\uFFFD' || (control.test(character) && !'\t\n\r'.includes(character));

function isChinese(character: string): boolean {
  const code = character.codePointAt(0)!;
  return chinese.some(([first, last]) => code >= first && code <= last);
}
