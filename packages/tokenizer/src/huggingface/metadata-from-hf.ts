// The `tokenizer.*` metadata of a Hugging Face checkpoint, with the keys, types and order of llama.cpp's
// convert_hf_to_gguf.py (`set_vocab` of the llama and qwen families). Only tokenizer files are read.

import { QuernError } from '@quern/errors';
import { type BpePlaces, readBpeModel } from './bpe-model.ts';
import { byteFallbackVocabulary } from './byte-fallback-vocabulary.ts';
import { byteLevelVocabulary } from './byte-level-vocabulary.ts';
import { writeChatTemplates } from './chat-templates.ts';
import { type CheckpointFiles, type JsonObject, readJsonObject } from './checkpoint-files.ts';
import type { GgufLikeMetadata } from './gguf-like-value.ts';
import { preTokenizerName } from './pre-tokenizer-structure.ts';
import { sentencePieceVocabulary } from './sentence-piece-vocabulary.ts';
import { slowPlaces, slowTokenizer } from './slow-tokenizer.ts';
import { writeSpecialVocabulary } from './special-vocabulary.ts';
import { type TokenEntry, TokenList } from './token-list.ts';
import {
  isWordPiece,
  type WordNormalizer,
  wordListTokenizer,
  wordNormalizer,
  wordPieceVocabulary,
} from './word-piece-vocabulary.ts';

export interface TokenizerMetadataOptions {
  /** Rows of the embedding: the number of tokens written. Undefined, for looking only: as many as the files name. */
  vocabSize?: number;
  /** `general.architecture`; default `llama`. Only llama's converter writes `tokenizer.ggml.add_space_prefix`. */
  architecture?: string;
  /** Told what is left out. */
  note?: (text: string) => void;
}

/** More tokens than any model has, and little enough to allocate. */
const maxVocabSize = 1 << 24;

/**
 * Reads tokenizer.model, else tokenizer.json, else vocab.json and merges.txt, and the configuration beside them.
 *
 * Throws a QuernError that names the file: `tokenizer-missing`, `tokenizer-vocab-size`, `tokenizer-json-malformed`,
 * `protobuf-malformed`, `sentence-piece-malformed`, `tokenizer-kind-unsupported`, `pre-tokenizer-unsupported`,
 * `normalizer-unsupported`, `tokenizer-vocab-{gap,duplicate}`, `tokenizer-merge-unknown`, `tokenizer-class-unknown`.
 */
export async function tokenizerMetadataFromHf(
  files: CheckpointFiles,
  { vocabSize, architecture = 'llama', note = () => {} }: TokenizerMetadataOptions,
): Promise<GgufLikeMetadata> {
  if (vocabSize !== undefined && !(Number.isSafeInteger(vocabSize) && vocabSize >= 1 && vocabSize <= maxVocabSize)) {
    throw new QuernError('tokenizer-vocab-size', `A vocabulary of ${vocabSize} tokens is not possible.`, {
      file: 'config.json',
      remedy: `Set vocab_size to a number from 1 to ${maxVocabSize}.`,
    });
  }
  const given = await readJsonObject(files, 'tokenizer_config.json');
  const fast = await readJsonObject(files, 'tokenizer.json');
  const specialTokensMap = await readJsonObject(files, 'special_tokens_map.json');
  const model = await sentencePieceModel(files);
  const slow = model || fast ? undefined : await slowTokenizer(files, given, specialTokensMap);
  const words = model || fast || slow ? undefined : await wordListTokenizer(files, given, specialTokensMap);
  const { tokenizer, config } = slow ?? words ?? { tokenizer: fast, config: given };
  const modelConfig = await readJsonObject(files, 'config.json');

  const metadata: GgufLikeMetadata = new Map();
  const tokens = new TokenList(vocabSize);
  const prefix = config?.add_prefix_space;
  if (architecture === 'llama' && typeof prefix === 'boolean') setSpacePrefix(metadata, prefix);
  if (model) {
    const added = await readJsonObject(files, 'added_tokens.json');
    writeSentencePiece(metadata, sentencePieceVocabulary(model, added, config, tokens));
  } else if (tokenizer && isWordPiece(tokenizer)) {
    // What config.json of a BERT leaves out is 2 (transformers' BertConfig), the others have one type of token.
    const types = modelConfig?.type_vocab_size ?? (architecture === 'bert' ? 2 : 1);
    if (Number.isInteger(types))
      metadata.set('tokenizer.ggml.token_type_count', { type: 'uint32', value: Number(types) });
    writeWordPiece(metadata, wordPieceVocabulary(tokenizer, config, specialTokensMap, tokens));
  } else if (tokenizer) {
    writeTokenizerJson(metadata, { tokenizer, config, specialTokensMap, tokens, places: slow && slowPlaces });
  } else {
    throw new QuernError(
      'tokenizer-missing',
      'The checkpoint has neither tokenizer.model, nor tokenizer.json, nor vocab.json with merges.txt, nor vocab.txt.',
      { remedy: 'Put the tokenizer files of the model into the folder.' },
    );
  }
  noteBeyond(tokens, note);
  writeSpecialVocabulary(metadata, tokenizer, config, modelConfig, tokenCount(metadata));
  await writeChatTemplates(metadata, files, given);
  if (tokenizer && isWordPiece(tokenizer)) writeWordNormalizer(metadata, wordNormalizer(tokenizer));
  return metadata;
}

const tokenCount = (metadata: GgufLikeMetadata): number => {
  const tokens = metadata.get('tokenizer.ggml.tokens');
  return Array.isArray(tokens?.value) ? tokens.value.length : 0;
};

/** tokenizer.model, when it is SentencePiece's: that of Llama 3 is a list for tiktoken, which tokenizer.json repeats. */
async function sentencePieceModel(files: CheckpointFiles): Promise<Uint8Array | undefined> {
  const bytes = await files.readBytes('tokenizer.model');
  if (!bytes || !/^[\w+/]+={0,2} \d+\r?\n/.test(new TextDecoder('latin1').decode(bytes.subarray(0, 256)))) return bytes;
  for (const name of ['tokenizer.json', 'vocab.json']) if (await files.readText(name)) return undefined;
  throw new QuernError('tokenizer-kind-unsupported', 'tokenizer.model is a list for tiktoken, not of SentencePiece.', {
    file: 'tokenizer.model',
    remedy: "Put the model's tokenizer.json beside it.",
  });
}

function noteBeyond(tokens: TokenList, note: (text: string) => void): void {
  const beyond = [...tokens.beyond];
  if (beyond.length === 0) return;
  const [id, text] = beyond[0]!;
  const first = `${JSON.stringify(text)} (${id})`;
  note(
    `left out, beyond the ${tokens.limit} rows of the embedding: ${beyond.length === 1 ? `token ${first}` : `${beyond.length} tokens, the first ${first}`}`,
  );
}

interface TokenizerJson {
  readonly tokenizer: JsonObject;
  readonly config: JsonObject | undefined;
  readonly specialTokensMap: JsonObject | undefined;
  readonly tokens: TokenList;
  readonly places?: BpePlaces;
}

function writeTokenizerJson(metadata: GgufLikeMetadata, given: TokenizerJson): void {
  const { tokenizer, config, specialTokensMap, tokens: list, places } = given;
  const bpe = readBpeModel(tokenizer, places);
  if (bpe.byteFallback) {
    const { tokens, spacePrefix } = byteFallbackVocabulary(bpe, tokenizer, config, specialTokensMap, list);
    if (!spacePrefix) setSpacePrefix(metadata, false);
    writeSentencePiece(metadata, tokens);
    return;
  }
  const pre = preTokenizerName(tokenizer);
  const tokens = byteLevelVocabulary(bpe, tokenizer, config, specialTokensMap, list);
  metadata.set('tokenizer.ggml.model', { type: 'string', value: 'gpt2' });
  metadata.set('tokenizer.ggml.pre', { type: 'string', value: pre });
  writeTokens(metadata, tokens, false);
  // Merges to tokens that are left out lead nowhere.
  const possible = bpe.merges.filter(([left, right]) => !list.beyond.has(bpe.vocab.get(left + right) as number));
  if (possible.length > 0) {
    // A space within a token would look like the separator: it is written as the byte alphabet writes it.
    const merges = possible.map((pair) => pair.map((part) => part.replaceAll(' ', 'Ġ')).join(' '));
    metadata.set('tokenizer.ggml.merges', { type: 'array', of: 'string', value: merges });
  }
}

function writeSentencePiece(metadata: GgufLikeMetadata, tokens: readonly TokenEntry[]): void {
  metadata.set('tokenizer.ggml.model', { type: 'string', value: 'llama' });
  metadata.set('tokenizer.ggml.pre', { type: 'string', value: 'default' });
  writeTokens(metadata, tokens, true);
}

/** llama.cpp asks no pre-tokenizer of WordPiece; the name is that of its converter for these files. */
function writeWordPiece(metadata: GgufLikeMetadata, tokens: readonly TokenEntry[]): void {
  metadata.set('tokenizer.ggml.model', { type: 'string', value: 'bert' });
  metadata.set('tokenizer.ggml.pre', { type: 'string', value: 'jina-v2-en' });
  writeTokens(metadata, tokens, false);
}

function writeWordNormalizer(metadata: GgufLikeMetadata, { lowercase, stripAccents }: WordNormalizer): void {
  for (const [name, value] of [
    ['lowercase', lowercase],
    ['strip_accents', stripAccents],
  ] as const)
    if (value !== undefined) metadata.set(`tokenizer.ggml.normalizer.${name}`, { type: 'bool', value });
}

function writeTokens(metadata: GgufLikeMetadata, tokens: readonly TokenEntry[], scores: boolean): void {
  const texts = tokens.map(({ text }) => text);
  metadata.set('tokenizer.ggml.tokens', { type: 'array', of: 'string', value: texts });
  if (scores) {
    const values = tokens.map(({ score }) => score);
    metadata.set('tokenizer.ggml.scores', { type: 'array', of: 'float32', value: values });
  }
  const types = tokens.map(({ type }) => type);
  metadata.set('tokenizer.ggml.token_type', { type: 'array', of: 'int32', value: types });
}

function setSpacePrefix(metadata: GgufLikeMetadata, value: boolean): void {
  metadata.set('tokenizer.ggml.add_space_prefix', { type: 'bool', value });
}
