// The tokenizer that a GGUF file describes. A new kind (`tokenizer.ggml.model`) is a file under merging/ and a row of `kinds`.

import { QuernError } from '@quern/errors';
import { beyondKeys } from './beyond-gguf.ts';
import { malformed, requireShallow } from './huggingface/checkpoint-files.ts';
import { ByteLevelBpe } from './merging/byte-level-bpe.ts';
import { SentencePiece } from './merging/sentence-piece.ts';
import { TextBpe } from './merging/text-bpe.ts';
import { type MetadataView, readBoolean, readInteger, readNumbers, readString, readStrings } from './metadata-view.ts';
import { type PreTokenizer, preTokenizerNamed } from './pre-tokenizer/pre-tokenizers.ts';
import { compileNormalizer } from './steps/normalizer.ts';
import { compilePreTokenizer } from './steps/pre-tokenizer.ts';
import { type Tokenizer, tokenTypes } from './tokenizer.ts';
import { CharacterMap } from './unigram/character-map.ts';
import { spacedText } from './unigram/spaced-text.ts';
import { Unigram } from './unigram/unigram.ts';
import { bytesOfByteLevelText } from './vocabulary/byte-level.ts';
import { createPartition, type StripRules, stripRules } from './vocabulary/partition.ts';
import { findSpecialTokens } from './vocabulary/special-tokens.ts';
import { readVocabulary, type Vocabulary } from './vocabulary/vocabulary.ts';
import { type TokenizerKind, VocabularyTokenizer } from './vocabulary-tokenizer.ts';
import { WordPiece } from './word-piece/word-piece.ts';

const kinds = new Map<string, (metadata: MetadataView, vocabulary: Vocabulary) => TokenizerKind>([
  ['llama', sentencePieceKind],
  ['gpt2', bpeKind],
  ['gemma4', bpeKind],
  ['bert', wordPieceKind],
  ['t5', unigramKind],
]);

/**
 * Builds the tokenizer of a model from its GGUF metadata (keys `tokenizer.*`, `general.name`).
 *
 * Throws a QuernError: `tokenizer-model-missing`, `tokenizer-model-unknown`, `pre-tokenizer-unknown`,
 * `tokenizer-metadata-type`, `tokenizer-tokens-{missing,length,duplicate}`, `tokenizer-token-too-long`,
 * `tokenizer-merges-missing`, `character-map-malformed`, `tokenizer-merge-malformed`, `tokenizer-bos-missing`, `tokenizer-eos-missing`.
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
  const kind = normalizing(metadata, kindOf(metadata, vocabulary));
  const special = findSpecialTokens(metadata, vocabulary, kind.defaults);
  const strip = stripRulesOf(metadata) ?? stripRules(readString(metadata, 'general.name') ?? '', vocabulary);
  return new VocabularyTokenizer({
    vocabulary,
    kind,
    special,
    partition: createPartition(vocabulary, recognisedTypes(metadata, special.types), strip),
    addBos: readBoolean(metadata, 'tokenizer.ggml.add_bos_token') ?? kind.addBos,
    addEos: readBoolean(metadata, 'tokenizer.ggml.add_eos_token') ?? kind.addEos ?? false,
    separator: separatorOf(metadata, vocabulary),
    chatTemplate: readString(metadata, 'tokenizer.chat_template'),
  });
}

function separatorOf(metadata: MetadataView, { texts }: Vocabulary): number | undefined {
  if (!readBoolean(metadata, 'tokenizer.ggml.add_sep_token')) return undefined;
  const id = readInteger(metadata, 'tokenizer.ggml.seperator_token_id');
  return id !== undefined && id >= 0 && id < texts.length ? id : undefined;
}

/** As the checkpoint normalizes text before it is cut. */
function normalizing(metadata: MetadataView, kind: TokenizerKind): TokenizerKind {
  const own = readString(metadata, beyondKeys.normalizer);
  if (own === undefined) return kind;
  const normalize = compileNormalizer(shallowJson(own, beyondKeys.normalizer));
  return { ...kind, keepsAll: false, encode: (text, ids) => kind.encode(normalize(text), ids) };
}

/** Types as far as finding tokens in a text goes. */
function recognisedTypes(metadata: MetadataView, types: Int32Array): Int32Array {
  const added = readNumbers(metadata, beyondKeys.added);
  if (!added) return types;
  const texts = new Set(readNumbers(metadata, beyondKeys.addedText));
  const recognised = new Int32Array(types.length).fill(tokenTypes.normal);
  for (const id of added) {
    const type = types[id] as number;
    const isSpecial = type === tokenTypes.control || type === tokenTypes.userDefined || type === tokenTypes.unknown;
    recognised[id] = isSpecial ? type : texts.has(id) ? tokenTypes.userDefined : tokenTypes.control;
  }
  return recognised;
}

function stripRulesOf(metadata: MetadataView): StripRules | undefined {
  const left = readNumbers(metadata, beyondKeys.stripsLeft);
  const right = readNumbers(metadata, beyondKeys.stripsRight);
  if (!left && !right) return undefined;
  const [onLeft, onRight] = [new Set(left), new Set(right)];
  return { left: (id) => onLeft.has(id), right: (id) => onRight.has(id) };
}

function sentencePieceKind(metadata: MetadataView, vocabulary: Vocabulary): TokenizerKind {
  const pieces = new SentencePiece(vocabulary);
  return {
    encode: (text, ids) => pieces.encode(text, ids),
    bytesOfNormal: bytesOfText,
    spacePrefix: readBoolean(metadata, 'tokenizer.ggml.add_space_prefix') ?? true,
    keepsAll: true,
    addBos: true,
    defaults: { bos: 1, eos: 2, unk: 0 },
  };
}

function bpeKind(metadata: MetadataView, vocabulary: Vocabulary): TokenizerKind {
  const preTokenizer = preTokenizerOf(metadata);
  const merges = readStrings(metadata, 'tokenizer.ggml.merges');
  if (!merges) {
    throw new QuernError('tokenizer-merges-missing', 'The model file has no merges (tokenizer.ggml.merges).', {
      remedy: 'Convert the model again from its original checkpoint.',
    });
  }
  const bpe = new (preTokenizer.isText ? TextBpe : ByteLevelBpe)(vocabulary, merges, preTokenizer);
  return {
    encode: (text, ids) => bpe.encode(text, ids),
    bytesOfNormal: preTokenizer.isText ? bytesOfText : bytesOfByteLevelText,
    spacePrefix: false,
    keepsAll: true,
    addBos: preTokenizer.addBos,
    // llama.cpp assumes token 11 (a comma in most vocabularies) for BOS and EOS; no id is the honest answer.
    defaults: {},
  };
}

/** By its name; Gemma 4 names the kind of vocabulary instead. A view of a checkpoint may say more than a name does. */
export function preTokenizerOf(metadata: MetadataView): PreTokenizer {
  const isGemma = readString(metadata, 'tokenizer.ggml.model') === 'gemma4';
  const named = preTokenizerNamed(isGemma ? 'gemma4' : (readString(metadata, 'tokenizer.ggml.pre') ?? 'default'));
  const ignoreMerges = readBoolean(metadata, beyondKeys.ignoreMerges) ?? named.ignoreMerges;
  const own = readString(metadata, beyondKeys.preTokenizer);
  if (own === undefined) return { ...named, ignoreMerges };
  const cut = compilePreTokenizer(shallowJson(own, beyondKeys.preTokenizer));
  return { ...named, patterns: [], ignoreMerges, isText: isGemma, split: (text) => cut([text]) };
}

/** No file has such keys, but whoever makes a file may write any. */
function shallowJson(text: string, key: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw malformed(key, 'is not JSON', cause);
  }
  requireShallow(value, key, 'the value');
  return value;
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
  return {
    encode: (text, ids) => words.encode(text, ids),
    bytesOfNormal: bytesOfText,
    spacePrefix: true,
    keepsAll: false,
    addBos: true,
    addEos: true,
    defaults: { bos: bertTokens.bos, eos: id('seperator', bertTokens.sep), unk: bertTokens.unk },
  };
}

/** What llama.cpp takes for granted of a Unigram vocabulary: T5's ids. */
const t5Tokens = { eos: 1, unk: 2 };

function unigramKind(metadata: MetadataView, vocabulary: Vocabulary): TokenizerKind {
  const typed = vocabulary.types.indexOf(tokenTypes.unknown);
  const unknown = readInteger(metadata, 'tokenizer.ggml.unknown_token_id') ?? (typed >= 0 ? typed : t5Tokens.unk);
  const unigram = new Unigram(vocabulary, unknown);
  const map = characterMapBytes(metadata);
  const rules = {
    map: map && new CharacterMap(map),
    spacePrefix: readBoolean(metadata, 'tokenizer.ggml.add_space_prefix') ?? false,
    mergeSpaces: readBoolean(metadata, 'tokenizer.ggml.remove_extra_whitespaces') ?? false,
  };
  // A view of a checkpoint says how the tokenizers library cuts.
  const own = readString(metadata, beyondKeys.preTokenizer);
  const cut = own === undefined ? undefined : compilePreTokenizer(JSON.parse(own));
  return {
    encode: (text, ids) => {
      for (const word of cut ? cut([text]) : [spacedText(text, rules)]) unigram.encode(word, ids);
    },
    bytesOfNormal: bytesOfText,
    spacePrefix: false,
    keepsAll: false,
    addBos: false,
    addEos: true,
    defaults: t5Tokens,
  };
}

/** Undefined where the text is left as it is. */
export function characterMapBytes(metadata: MetadataView): Uint8Array | undefined {
  const bytes = readNumbers(metadata, 'tokenizer.ggml.precompiled_charsmap');
  return bytes && bytes.length > 0 ? Uint8Array.from(bytes) : undefined;
}

const utf8 = new TextEncoder();
const bytesOfText = (text: string): Uint8Array => utf8.encode(text.replaceAll('▁', ' '));
