// The tokens of a model while they are gathered from the checkpoint's files: exactly `vocabSize` of them, as many as the
// embedding has rows, or as many as the files name where nobody knows. Ids that no file names are `[PAD7]`, unused, as
// llama.cpp's converter writes them.

import { QuernError } from '@quern/errors';
import { tokenTypes } from '../tokenizer.ts';

export interface TokenEntry {
  text: string;
  type: number;
  score: number;
}

/** Scores as the converter gives them: to ids without a token, and to added tokens. */
const unusedScore = -10000;
export const addedScore = -1000;

/** Several times the largest known, and little enough to fill up: a file may name any id. */
const maxUnknownSize = 1 << 21;

export class TokenList {
  readonly #tokens: (TokenEntry | undefined)[];
  readonly #limit: number;

  /** @param vocabSize undefined: up to the highest id that is set */
  constructor(vocabSize: number | undefined) {
    this.#tokens = new Array(vocabSize ?? 0).fill(undefined);
    this.#limit = vocabSize ?? maxUnknownSize;
  }

  get(id: number): TokenEntry | undefined {
    return this.#tokens[id];
  }

  /** Sets token `id`, in place of another if there is one. Throws `tokenizer-vocab-too-large`. */
  set(id: number, token: TokenEntry, file: string): void {
    if (id >= this.#limit) {
      throw new QuernError(
        'tokenizer-vocab-too-large',
        `Token ${id} (${JSON.stringify(token.text)}) lies outside the model's vocabulary of ${this.#limit}.`,
        { file, remedy: 'Set vocab_size in config.json to the rows of the embedding, or remove the token.' },
      );
    }
    this.#tokens[id] = token;
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
