// What tokenizer.json says, by the kind of its model.

import { QuernError } from '@quern/errors';
import { beyondKeys } from '../beyond-gguf.ts';
import { preTokenizerNamed } from '../pre-tokenizer/pre-tokenizers.ts';
import { compileNormalizer, doesNothing } from '../steps/normalizer.ts';
import { compilePreTokenizer } from '../steps/pre-tokenizer.ts';
import { type BpeModel, type BpePlaces, readBpeModel } from './bpe-model.ts';
import { readByteFallback } from './byte-fallback-vocabulary.ts';
import { byteLevelVocabulary } from './byte-level-vocabulary.ts';
import { isObject, requireShallow } from './checkpoint-files.ts';
import type { GgufLikeMetadata } from './gguf-like-value.ts';
import { preTokenizersLike } from './pre-tokenizer-structure.ts';
import { textVocabulary } from './text-vocabulary.ts';
import type { TokenEntry } from './token-list.ts';
import { type UnigramFiles, writeUnigram } from './unigram-tokenizer.ts';
import { isUnigram } from './unigram-vocabulary.ts';
import { isWordPiece, wordNormalizer, wordPieceVocabulary } from './word-piece-vocabulary.ts';
import { setFlag, setText, writeMerges, writeTokens } from './write-tokens.ts';

export interface TokenizerJson extends UnigramFiles {
  readonly places?: BpePlaces;
  /** Byte-level tokens get scores as well, all of them 0. */
  readonly scores?: boolean;
  /** What a person calls the pre-tokenizer. */
  readonly preTokenizer?: string;
  /** What the converter calls pre-tokenizers of this architecture. */
  readonly usualNames: Readonly<Record<string, string>>;
}

/** @returns keys to be written behind those of the special tokens */
export function writeTokenizerJson(metadata: GgufLikeMetadata, given: TokenizerJson): GgufLikeMetadata {
  for (const part of ['normalizer', 'pre_tokenizer', 'post_processor'])
    requireShallow(given.tokenizer[part], 'tokenizer.json', part);
  if (isWordPiece(given.tokenizer)) return writeWordPiece(metadata, given);
  if (isUnigram(given.tokenizer)) {
    if (given.preTokenizer !== undefined) throw namedInVain(given.preTokenizer);
    return writeUnigram(metadata, given);
  }
  const bpe = readBpeModel(given.tokenizer, given.places);
  return bpe.byteFallback ? writeByteFallback(metadata, bpe, given) : writeByteLevel(metadata, bpe, given);
}

function writeByteFallback(metadata: GgufLikeMetadata, bpe: BpeModel, given: TokenizerJson): GgufLikeMetadata {
  const { tokenizer, config, specialTokensMap, tokens } = given;
  if (given.preTokenizer !== undefined) throw namedInVain(given.preTokenizer);
  const read = readByteFallback(bpe, tokenizer);
  if (read.fill) {
    if (!read.spacePrefix) setFlag(metadata, 'tokenizer.ggml.add_space_prefix', false);
    writeSentencePiece(metadata, read.fill(config, specialTokensMap, tokens));
    return new Map();
  }
  setText(metadata, 'tokenizer.ggml.model', 'gemma4');
  writeTokens(metadata, textVocabulary(bpe, tokenizer, config, specialTokensMap, tokens), true);
  writeMerges(metadata, bpe.merges);
  const behind: GgufLikeMetadata = new Map();
  setFlag(behind, 'tokenizer.ggml.add_space_prefix', false);
  if (read.isGemma) {
    setFlag(behind, 'tokenizer.ggml.add_bos_token', true);
    return behind;
  }
  compileNormalizer(tokenizer.normalizer);
  compilePreTokenizer(tokenizer.pre_tokenizer);
  if (!doesNothing(tokenizer.normalizer)) setText(behind, beyondKeys.normalizer, JSON.stringify(tokenizer.normalizer));
  setText(behind, beyondKeys.preTokenizer, JSON.stringify(tokenizer.pre_tokenizer ?? null));
  setText(behind, beyondKeys.refused, read.reason);
  return behind;
}

function writeByteLevel(metadata: GgufLikeMetadata, bpe: BpeModel, given: TokenizerJson): GgufLikeMetadata {
  const { tokenizer, config, specialTokensMap, tokens: list } = given;
  const behind: GgufLikeMetadata = new Map();
  const ignoreMerges = isObject(tokenizer.model) && tokenizer.model.ignore_merges === true;
  const known = preTokenizersLike(tokenizer.pre_tokenizer, ignoreMerges);
  const usual = known.map((name) => given.usualNames[name]).find((name) => name !== undefined);
  const pre = given.preTokenizer ?? usual ?? known[0];
  compileNormalizer(tokenizer.normalizer);
  if (!doesNothing(tokenizer.normalizer)) setText(behind, beyondKeys.normalizer, JSON.stringify(tokenizer.normalizer));
  const named = pre === undefined ? undefined : preTokenizerNamed(pre);
  const isSame = named !== undefined && known.some((name) => cutsAlike(name, named.patterns));
  if (!isSame) {
    compilePreTokenizer(tokenizer.pre_tokenizer);
    setText(behind, beyondKeys.preTokenizer, JSON.stringify(tokenizer.pre_tokenizer ?? null));
  }
  if (named === undefined || named.ignoreMerges !== ignoreMerges)
    setFlag(behind, beyondKeys.ignoreMerges, ignoreMerges);
  const tokens = byteLevelVocabulary(bpe, tokenizer, config, specialTokensMap, list);
  setText(metadata, 'tokenizer.ggml.model', 'gpt2');
  if (pre !== undefined) setText(metadata, 'tokenizer.ggml.pre', pre);
  writeTokens(metadata, tokens, given.scores ?? false);
  // Merges to tokens that are left out lead nowhere.
  writeMerges(
    metadata,
    bpe.merges.filter(([left, right]) => !list.beyond.has(bpe.vocab.get(left + right) as number)),
  );
  if (Number.isInteger(given.tokenTypeCount))
    behind.set('tokenizer.ggml.token_type_count', { type: 'uint32', value: Number(given.tokenTypeCount) });
  return behind;
}

const cutsAlike = (name: string, patterns: readonly string[]): boolean => {
  const own = preTokenizerNamed(name).patterns;
  return own.length === patterns.length && own.every((pattern, index) => pattern === patterns[index]);
};

export function writeSentencePiece(metadata: GgufLikeMetadata, tokens: readonly TokenEntry[]): void {
  setText(metadata, 'tokenizer.ggml.model', 'llama');
  setText(metadata, 'tokenizer.ggml.pre', 'default');
  writeTokens(metadata, tokens, true);
}

/** llama.cpp asks no pre-tokenizer of WordPiece; the name is that of its converter for these files. */
function writeWordPiece(metadata: GgufLikeMetadata, given: TokenizerJson): GgufLikeMetadata {
  const { tokenizer, config, specialTokensMap, tokens, tokenTypeCount } = given;
  if (given.preTokenizer !== undefined) throw namedInVain(given.preTokenizer);
  if (Number.isInteger(tokenTypeCount))
    metadata.set('tokenizer.ggml.token_type_count', { type: 'uint32', value: Number(tokenTypeCount) });
  setText(metadata, 'tokenizer.ggml.model', 'bert');
  setText(metadata, 'tokenizer.ggml.pre', 'jina-v2-en');
  writeTokens(metadata, wordPieceVocabulary(tokenizer, config, specialTokensMap, tokens), false);
  const { lowercase, stripAccents } = wordNormalizer(tokenizer);
  const behind: GgufLikeMetadata = new Map();
  if (lowercase !== undefined) setFlag(behind, 'tokenizer.ggml.normalizer.lowercase', lowercase);
  if (stripAccents !== undefined) setFlag(behind, 'tokenizer.ggml.normalizer.strip_accents', stripAccents);
  return behind;
}

/** Only byte-level BPE has pre-tokenizers. */
export const namedInVain = (name: string): QuernError =>
  new QuernError(
    'pre-tokenizer-unused',
    `--pre ${name} means nothing: this tokenizer cuts text by its vocabulary alone.`,
    {
      remedy: 'Leave --pre out.',
    },
  );
