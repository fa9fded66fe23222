// The list of tokens of a model: text, type and score of each id (`tokenizer.ggml.tokens`, `.token_type`, `.scores`).

import { QuernError } from '@quern/errors';
import { type MetadataView, readNumbers, readStrings } from '../metadata-view.ts';
import { tokenTypes } from '../tokenizer.ts';
import { TextIndex } from './text-index.ts';

export interface Vocabulary {
  /** Text of each token, as stored. */
  readonly texts: readonly string[];
  /** `tokenTypes` of each token. */
  readonly types: Int32Array;
  /** Merge priority of each token (SentencePiece log probability); zeros where the file has none. */
  readonly scores: Float32Array;
  readonly idOf: TextIndex;
}

const remedy = 'Convert the model again from its original checkpoint.';

/** Reads and checks the token list. Throws `tokenizer-tokens-missing`, `-tokens-length`, `-tokens-duplicate`. */
export function readVocabulary(metadata: MetadataView): Vocabulary {
  const stored = readStrings(metadata, 'tokenizer.ggml.tokens');
  if (!stored || stored.length === 0) {
    throw new QuernError('tokenizer-tokens-missing', 'The model file has no token list (tokenizer.ggml.tokens).', {
      remedy,
    });
  }
  // An empty text would match everywhere: llama.cpp renames such tokens, and so do we.
  const texts = stored.map((text, id) => text || `[EMPTY_${id}]`);
  const idOf = new TextIndex(texts);
  if (idOf.size < texts.length) throw twice(texts, idOf);
  const types = new Int32Array(perToken(metadata, 'tokenizer.ggml.token_type', texts.length, tokenTypes.normal));
  const scores = new Float32Array(perToken(metadata, 'tokenizer.ggml.scores', texts.length, 0));
  return { texts, types, scores, idOf };
}

function twice(texts: readonly string[], idOf: TextIndex): QuernError {
  const second = texts.findIndex((text, id) => idOf.get(text) !== id);
  const text = texts[second] as string;
  return new QuernError(
    'tokenizer-tokens-duplicate',
    `Tokens ${idOf.get(text)} and ${second} have the same text ${JSON.stringify(text)}.`,
    { remedy },
  );
}

function perToken(metadata: MetadataView, key: string, count: number, missing: number): readonly number[] {
  const values = readNumbers(metadata, key);
  if (!values) return new Array(count).fill(missing);
  if (values.length < count) {
    throw new QuernError('tokenizer-tokens-length', `${key} has ${values.length} entries for ${count} tokens.`, {
      remedy,
    });
  }
  return values.slice(0, count);
}
