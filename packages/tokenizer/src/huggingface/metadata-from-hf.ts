// The `tokenizer.*` metadata of a Hugging Face checkpoint, with the keys, types and order of llama.cpp's
// convert_hf_to_gguf.py (`set_vocab` of the llama and qwen families). Only tokenizer files are read.

import { QuernError } from '@quern/errors';
import { ggufTokenizerMetadata } from '../beyond-gguf.ts';
import { preTokenizerNamed } from '../pre-tokenizer/pre-tokenizers.ts';
import { writeChatTemplates } from './chat-templates.ts';
import { type CheckpointFiles, readJsonObject } from './checkpoint-files.ts';
import type { GgufLikeMetadata } from './gguf-like-value.ts';
import { looksLikeRankList } from './rank-list.ts';
import { writeRecognition } from './recognition.ts';
import { sentencePieceVocabulary } from './sentence-piece-vocabulary.ts';
import { slowTokenizer } from './slow-tokenizer.ts';
import { writeSpecialVocabulary } from './special-vocabulary.ts';
import { tekkenTokenizer } from './tekken.ts';
import { tiktokenTokenizer } from './tiktoken.ts';
import { TokenList } from './token-list.ts';
import { namedInVain, writeSentencePiece, writeTokenizerJson } from './tokenizer-json.ts';
import { xlmRobertaTokenizer } from './unigram-tokenizer.ts';
import { wordListTokenizer } from './word-piece-vocabulary.ts';
import { setFlag } from './write-tokens.ts';

export interface TokenizerMetadataOptions {
  /** Rows of the embedding: the number of tokens written. Undefined, for looking only: as many as the files name. */
  vocabSize?: number;
  /** `general.architecture`; default `llama`. Only llama's converter writes `tokenizer.ggml.add_space_prefix`. */
  architecture?: string;
  /** `tokenizer.ggml.pre`, where a person says what it is. */
  preTokenizer?: string;
  /** What the converter calls a pre-tokenizer in this architecture, by the name that its structure has. */
  usualNames?: Readonly<Record<string, string>>;
  /** Told what is left out. */
  note?: (text: string) => void;
}

/** More tokens than any model has, and little enough to allocate. */
const maxVocabSize = 1 << 24;

/**
 * What a GGUF file says of a tokenizer.
 * @throws QuernError those of `tokenizerViewFromHf` and `ggufTokenizerMetadata`
 */
export async function tokenizerMetadataFromHf(
  files: CheckpointFiles,
  options: TokenizerMetadataOptions,
): Promise<GgufLikeMetadata> {
  return ggufTokenizerMetadata(await tokenizerViewFromHf(files, options));
}

/**
 * Reads tokenizer.model, else tokenizer.json, else vocab.json and merges.txt, else a rank list or a list of words (tekken.json
 * before all but tokenizer.json), and the configuration beside them. Behind
 * the keys of GGUF stand those of beyond-gguf.ts, where the tokenizer does what GGUF has no key for.
 *
 * Throws a QuernError that names the file: `tokenizer-missing`, `tokenizer-vocab-size`, `tokenizer-json-malformed`,
 * `protobuf-malformed`, `sentence-piece-malformed`, `tokenizer-kind-unsupported`, `pre-tokenizer-unsupported`,
 * `pre-tokenizer-{unknown,unused}`, `normalizer-unsupported`, `tokenizer-vocab-{gap,duplicate}`,
 * `tokenizer-merge-unknown`, `tokenizer-class-unknown`.
 */
export async function tokenizerViewFromHf(
  files: CheckpointFiles,
  options: TokenizerMetadataOptions,
): Promise<GgufLikeMetadata> {
  const { vocabSize, architecture = 'llama', note = () => {}, preTokenizer, usualNames = {} } = options;
  if (preTokenizer !== undefined) preTokenizerNamed(preTokenizer);
  if (vocabSize !== undefined && !(Number.isSafeInteger(vocabSize) && vocabSize >= 1 && vocabSize <= maxVocabSize)) {
    throw new QuernError('tokenizer-vocab-size', `A vocabulary of ${vocabSize} tokens is not possible.`, {
      file: 'config.json',
      remedy: `Set vocab_size to a number from 1 to ${maxVocabSize}.`,
    });
  }
  const given = await readJsonObject(files, 'tokenizer_config.json');
  const fast = await readJsonObject(files, 'tokenizer.json');
  const specialTokensMap = await readJsonObject(files, 'special_tokens_map.json');
  const tekken = fast ? undefined : await tekkenTokenizer(files);
  const model = tekken ? undefined : await sentencePieceModel(files);
  const slow =
    model || fast
      ? undefined
      : (tekken ??
        (await slowTokenizer(files, given, specialTokensMap)) ??
        (await tiktokenTokenizer(files, given, preTokenizer)));
  const words = model || fast || slow ? undefined : await wordListTokenizer(files, given, specialTokensMap);
  const modelConfig = await readJsonObject(files, 'config.json');
  const pieces = await files.readBytes('sentencepiece.bpe.model');
  const isXlmRoberta = modelConfig?.model_type === 'xlm-roberta' || /^XLMRoberta/.test(String(given?.tokenizer_class));
  const unigram =
    pieces && isXlmRoberta && !(model || fast || slow || words)
      ? xlmRobertaTokenizer(pieces, given, specialTokensMap)
      : undefined;
  const { tokenizer, config } = slow ?? words ?? unigram ?? { tokenizer: fast, config: given };

  // What config.json of a BERT leaves out is 2 (transformers' BertConfig), the others have one type of token.
  const usualTypes = architecture === 'bert' ? 2 : 1;
  const metadata: GgufLikeMetadata = new Map();
  const tokens = new TokenList(vocabSize);
  let behind: GgufLikeMetadata = new Map();
  const prefix = config?.add_prefix_space;
  if (architecture === 'llama' && typeof prefix === 'boolean')
    setFlag(metadata, 'tokenizer.ggml.add_space_prefix', prefix);
  if (model) {
    if (preTokenizer !== undefined) throw namedInVain(preTokenizer);
    const added = await readJsonObject(files, 'added_tokens.json');
    writeSentencePiece(metadata, sentencePieceVocabulary(model, added, config, tokens));
  } else if (tokenizer) {
    behind = writeTokenizerJson(metadata, {
      ...{ tokenizer, config, specialTokensMap, tokens, preTokenizer, usualNames, pieces, vocabSize },
      places: slow?.places,
      scores: slow?.scores,
      tokenTypeCount: architecture.endsWith('bert') ? (modelConfig?.type_vocab_size ?? usualTypes) : undefined,
    });
  } else {
    throw new QuernError(
      'tokenizer-missing',
      'The checkpoint has neither tokenizer.model, nor tokenizer.json, nor vocab.json with merges.txt, nor vocab.txt, nor sentencepiece.bpe.model, nor tekken.json, nor a list for tiktoken.',
      { remedy: 'Put the tokenizer files of the model into the folder.' },
    );
  }
  noteBeyond(tokens, note);
  writeSpecialVocabulary(metadata, tokenizer, config, modelConfig, tokenCount(metadata));
  await writeChatTemplates(metadata, files, given);
  for (const [key, value] of behind) metadata.set(key, value);
  if (tokenizer) writeRecognition(metadata, tokenizer, config, specialTokensMap);
  return metadata;
}

const tokenCount = (metadata: GgufLikeMetadata): number => {
  const tokens = metadata.get('tokenizer.ggml.tokens');
  return Array.isArray(tokens?.value) ? tokens.value.length : 0;
};

/** tokenizer.model, when it is SentencePiece's: that of Llama 3 is a list for tiktoken. */
async function sentencePieceModel(files: CheckpointFiles): Promise<Uint8Array | undefined> {
  const bytes = await files.readBytes('tokenizer.model');
  return bytes && !looksLikeRankList(bytes) ? bytes : undefined;
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
