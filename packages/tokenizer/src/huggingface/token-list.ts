// The tokens of a model while they are gathered from the checkpoint's files: exactly `vocabSize` of them, as many as the
// embedding has rows, or as many as the files name where nobody knows. Ids that no file names are `[PAD7]`, unused, and
// tokens beyond the embedding are left out, as llama.cpp's converter does both.

import { QuernError } from '@quern/errors';
import { tokenTypes } from '../tokenizer.ts';

export interface TokenEntry {
  text: string;
  type: number;
  score: number;
}

/** Scores as the converter gives them: to ids without a token, and to added tokens. */
export const unusedScore = -10000;
export const addedScore = -1000;

/** Several times the largest known, and little enough to fill up: a file may name any id. */
const maxUnknownSize = 1 << 21;

export class TokenList {
  readonly #tokens: (TokenEntry | undefined)[];
  readonly #isKnown: boolean;
  /** No token may have this id or a higher one. */
  readonly limit: number;
  /** Texts, by id, for which the embedding has no row: nothing the model can be told. */
  readonly beyond = new Map<number, string>();

  /** @param vocabSize undefined: up to the highest id that is set */
  constructor(vocabSize: number | undefined) {
    this.#tokens = new Array(vocabSize ?? 0).fill(undefined);
    this.#isKnown = vocabSize !== undefined;
    this.limit = vocabSize ?? maxUnknownSize;
  }

  get(id: number): TokenEntry | undefined {
    return this.#tokens[id];
  }

  /**
   * Sets token `id`, in place of another if there is one.
   * @throws QuernError `tokenizer-vocab-too-large` where nobody knows the size, and a list up to the id is more than any model has
   */
  set(id: number, token: TokenEntry): void {
    if (id < this.limit) this.#tokens[id] = token;
    else if (this.#isKnown) this.beyond.set(id, token.text);
    else {
      throw new QuernError(
        'tokenizer-vocab-too-large',
        `Token ${id} (${JSON.stringify(token.text)}) is beyond any vocabulary.`,
        { remedy: 'Remove the token from the tokenizer files, or set vocab_size in config.json.' },
      );
    }
  }

  /** All tokens, padded. Throws `tokenizer-vocab-duplicate` when two have one text. */
  finish(file: string): readonly TokenEntry[] {
    const tokens = Array.from(
      this.#tokens,
      (token, id) => token ?? { text: `[PAD${id}]`, type: tokenTypes.unused, score: unusedScore },
    );
    const idOf = new Map<string, number>();
    tokens.forEach(({ text }, id) => {
      const first = idOf.get(text);
      if (first !== undefined) {
        throw new QuernError(
          'tokenizer-vocab-duplicate',
          `Tokens ${first} and ${id} are both ${JSON.stringify(text)}.`,
          {
            file,
            remedy: 'Remove one of them from the tokenizer files.',
          },
        );
      }
      idOf.set(text, id);
    });
    return tokens;
  }
}
