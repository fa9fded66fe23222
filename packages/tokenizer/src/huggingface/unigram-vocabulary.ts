// The tokens of a Unigram vocabulary: `model.vocab` of tokenizer.json, or the pieces of sentencepiece.bpe.model, which the
// converter takes where it is there (BertModel._xlmroberta_set_vocab of llama.cpp's conversion/bert.py).
import { QuernError } from '@quern/errors';
import { tokenTypes } from '../tokenizer.ts';
import { addedTokensOfTokenizer, specialTexts } from './added-tokens.ts';
import { asArray, asObject, asString, isObject, type JsonObject, malformed } from './checkpoint-files.ts';
import type { SentencePieceEntry } from './sentence-piece-model.ts';
import { addedScore, type TokenEntry, type TokenList, unusedScore } from './token-list.ts';

const file = 'tokenizer.json';

/** Old files name no type. */
export const isUnigram = ({ model }: JsonObject): boolean =>
  isObject(model) && (model.type === 'Unigram' || (model.type === undefined && Array.isArray(model.vocab)));

interface Piece {
  readonly text: string;
  readonly score: number;
}

/** @throws QuernError `tokenizer-json-malformed`, `tokenizer-kind-unsupported` */
export function readUnigramModel(tokenizer: JsonObject): { pieces: readonly Piece[]; unknown: number } {
  const model = asObject(tokenizer.model, file, 'model');
  if (model.byte_fallback === true) throw unsupported('takes unknown characters for bytes');
  const pieces = asArray(model.vocab, file, 'model.vocab').map((entry, id): Piece => {
    const [text, score] = asArray(entry, file, `model.vocab[${id}]`);
    if (typeof score !== 'number' || !Number.isFinite(score))
      throw malformed(file, `is malformed: model.vocab[${id}] has no score`);
    return { text: asString(text, file, `the text of model.vocab[${id}]`), score };
  });
  const unknown: unknown = model.unk_id;
  if (!Number.isInteger(unknown) || (unknown as number) < 0 || (unknown as number) >= pieces.length)
    throw unsupported('has no token for unknown characters');
  return { pieces, unknown: unknown as number };
}

export function unigramVocabulary(
  tokenizer: JsonObject,
  config: JsonObject | undefined,
  specialTokensMap: JsonObject | undefined,
  list: TokenList,
): readonly TokenEntry[] {
  const { pieces, unknown } = readUnigramModel(tokenizer);
  const special = specialTexts(config, specialTokensMap);
  const added = new Map(addedTokensOfTokenizer(tokenizer).map((token) => [token.id, token]));
  const typeOf = (text: string, id: number): number => {
    if (id === unknown) return tokenTypes.unknown;
    if (special.has(text)) return tokenTypes.control;
    return added.has(id) ? tokenTypes.userDefined : tokenTypes.normal;
  };
  for (const [id, { text, score }] of pieces.entries()) list.set(id, { text, score, type: typeOf(text, id) });
  for (const { id, text, special: isSpecial } of added.values())
    if (id >= pieces.length)
      list.set(id, { text, score: addedScore, type: isSpecial ? tokenTypes.control : tokenTypes.userDefined });
  return list.finish(file);
}

/** In front of the pieces of XLM-RoBERTa, in place of the three that SentencePiece begins with. */
const first = ['<s>', '<pad>', '</s>', '<unk>'];

/**
 * The pieces under the ids of XLM-RoBERTa: one later than SentencePiece's. Ids behind the last piece, that of `<mask>` among
 * them, are rows of the embedding without a token.
 */
export function alignedPieces(
  pieces: readonly SentencePieceEntry[],
  size: number,
  list: TokenList,
): readonly TokenEntry[] {
  for (let id = 0; id < size; id++) {
    const start = first[id];
    if (start !== undefined) {
      const type = start === '<unk>' ? tokenTypes.unknown : tokenTypes.control;
      list.set(id, { text: start, score: 0, type });
      continue;
    }
    const piece = pieces[id - 1];
    // The converter does not tell user-defined pieces from normal ones.
    const type = piece?.type === tokenTypes.userDefined ? tokenTypes.normal : (piece?.type ?? tokenTypes.unused);
    list.set(id, piece ? { ...piece, type } : { text: `[PAD${id - 1}]`, score: unusedScore, type });
  }
  return list.finish('sentencepiece.bpe.model');
}

/** Whether tokenizer.json has the pieces under these ids: other models with such a file align them otherwise. */
export function areAligned(pieces: readonly SentencePieceEntry[], tokenizer: JsonObject): boolean {
  const { pieces: named } = readUnigramModel(tokenizer);
  const expected = (id: number) => first[id] ?? pieces[id - 1]?.text;
  return named.every(({ text }, id) => (expected(id) ?? text) === text);
}

const unsupported = (what: string): QuernError =>
  new QuernError('tokenizer-kind-unsupported', `The Unigram model in tokenizer.json ${what}.`, {
    file,
    remedy: 'Use a model of a supported family.',
  });
