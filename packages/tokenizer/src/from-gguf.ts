// The tokenizer that a GGUF file describes. A new kind (`tokenizer.ggml.model`) is a file under merging/ and a row of `kinds`.

import { QuernError } from '@quern/errors';
import { ByteLevelBpe } from './merging/byte-level-bpe.ts';
import { SentencePiece } from './merging/sentence-piece.ts';
import { type MetadataView, readBoolean, readInteger, readString, readStrings } from './metadata-view.ts';
import { preTokenizerNamed } from './pre-tokenizer/pre-tokenizers.ts';
import type { Tokenizer } from './tokenizer.ts';
import { bytesOfByteLevelText } from './vocabulary/byte-level.ts';
import { createPartition, stripRules } from './vocabulary/partition.ts';
import { findSpecialTokens } from './vocabulary/special-tokens.ts';
import { readVocabulary, type Vocabulary } from './vocabulary/vocabulary.ts';
import { type TokenizerKind, VocabularyTokenizer } from './vocabulary-tokenizer.ts';
import { WordPiece } from './word-piece/word-piece.ts';

const kinds = new Map<string, (metadata: MetadataView, vocabulary: Vocabulary) => TokenizerKind>([
  ['llama', sentencePieceKind],
  ['gpt2', byteLevelKind],
  ['bert', wordPieceKind],
]);

/**
 * Builds the tokenizer of a model from its GGUF metadata (keys `tokenizer.*`, `general.name`).
 *
 * Throws a QuernError: `tokenizer-model-missing`, `tokenizer-model-unknown`, `pre-tokenizer-unknown`,
 * `tokenizer-metadata-type`, `tokenizer-tokens-{missing,length,duplicate}`, `tokenizer-token-too-long`,
 * `tokenizer-merges-missing`, `tokenizer-merge-malformed`, `tokenizer-bos-missing`, `tokenizer-eos-missing`.
 */
export function tokenizerFromGguf(metadata: MetadataView): Tokenizer {
  const model = readString(metadata, 'tokenizer.ggml.model');
  if (model === undefined) {
    throw new QuernError('tokenizer-model-missing', 'The model file describes no tokenizer (tokenizer.ggml.model).', {
      remedy: 'Convert the model with its tokenizer files beside it.',
    });
  }
  const kindOf = kinds.get(model);
  if (!kindOf) {
    throw new QuernError('tokenizer-model-unknown', `Unknown tokenizer model "${model}" (tokenizer.ggml.model).`, {
      remedy: `Use a model whose tokenizer is one of: ${[...kinds.keys()].join(', ')}.`,
    });
  }
  const vocabulary = readVocabulary(metadata);
  const kind = kindOf(metadata, vocabulary);
  const special = findSpecialTokens(metadata, vocabulary, kind.defaults);
  const modelName = readString(metadata, 'general.name') ?? '';
  return new VocabularyTokenizer({
    vocabulary,
    kind,
    special,
    partition: createPartition(vocabulary, special.types, stripRules(modelName, vocabulary)),
    addBos: readBoolean(metadata, 'tokenizer.ggml.add_bos_token') ?? kind.addBos,
    addEos: readBoolean(metadata, 'tokenizer.ggml.add_eos_token') ?? kind.addEos ?? false,
    chatTemplate: readString(metadata, 'tokenizer.chat_template'),
  });
}

function sentencePieceKind(metadata: MetadataView, vocabulary: Vocabulary): TokenizerKind {
  const pieces = new SentencePiece(vocabulary);
  const utf8 = new TextEncoder();
  return {
    encode: (text, ids) => pieces.encode(text, ids),
    bytesOfNormal: (text) => utf8.encode(text.replaceAll('▁', ' ')),
    spacePrefix: readBoolean(metadata, 'tokenizer.ggml.add_space_prefix') ?? true,
    addBos: true,
    defaults: { bos: 1, eos: 2, unk: 0 },
  };
}

function byteLevelKind(metadata: MetadataView, vocabulary: Vocabulary): TokenizerKind {
  const preTokenizer = preTokenizerNamed(readString(metadata, 'tokenizer.ggml.pre') ?? 'default');
  const merges = readStrings(metadata, 'tokenizer.ggml.merges');
  if (!merges) {
    throw new QuernError('tokenizer-merges-missing', 'The model file has no merges (tokenizer.ggml.merges).', {
      remedy: 'Convert the model again from its original checkpoint.',
    });
  }
  const bpe = new ByteLevelBpe(vocabulary, merges, preTokenizer);
  return {
    encode: (text, ids) => bpe.encode(text, ids),
    bytesOfNormal: bytesOfByteLevelText,
    spacePrefix: false,
    addBos: preTokenizer.addBos,
    // llama.cpp assumes token 11 (a comma in most vocabularies) for BOS and EOS; no id is the honest answer.
    defaults: {},
  };
}

/** What llama.cpp takes for granted of a BERT vocabulary: the ids of `bert-base-uncased`. */
const bertTokens = { bos: 101, sep: 102, unk: 100 };

function wordPieceKind(metadata: MetadataView, vocabulary: Vocabulary): TokenizerKind {
  const id = (name: string, fallback: number) => readInteger(metadata, `tokenizer.ggml.${name}_token_id`) ?? fallback;
  const unknown = id('unknown', bertTokens.unk);
  if (!(unknown >= 0 && unknown < vocabulary.texts.length))
    throw new QuernError('tokenizer-unknown-missing', 'The vocabulary has no token for words that it cannot spell.', {
      remedy: 'Set tokenizer.ggml.unknown_token_id, or convert the model again.',
    });
  const lowercase = readBoolean(metadata, 'tokenizer.ggml.normalizer.lowercase') ?? true;
  const stripAccents = readBoolean(metadata, 'tokenizer.ggml.normalizer.strip_accents') ?? lowercase;
  const words = new WordPiece(vocabulary, { lowercase, stripAccents, unknown });
  const utf8 = new TextEncoder();
  return {
    encode: (text, ids) => words.encode(text, ids),
    bytesOfNormal: (text) => utf8.encode(text.replaceAll('▁', ' ')),
    spacePrefix: true,
    addBos: true,
    addEos: true,
    defaults: { bos: bertTokens.bos, eos: id('seperator', bertTokens.sep), unk: bertTokens.unk },
  };
}
