// The tokenizer that a GGUF file describes, as the files of a Hugging Face checkpoint: the counterpart of
// ../huggingface/metadata-from-hf.ts. What transformers loads from them gives the ids that the GGUF file gives.

import { preTokenizerOf, tokenizerFromGguf } from '../from-gguf.ts';
import { type MetadataView, readInteger, readString } from '../metadata-view.ts';
import { stripRules } from '../vocabulary/partition.ts';
import { readVocabulary } from '../vocabulary/vocabulary.ts';
import { addedTokensOf } from './added-tokens.ts';
import { byteLevelParts } from './byte-level-json.ts';
import { postProcessorOf } from './post-processor.ts';
import { sentencePieceParts } from './sentence-piece-json.ts';
import { isAdded, sentencePieceModel } from './sentence-piece-model.ts';
import { textParts } from './text-json.ts';
import { specialTokenNames, specialTokensMap, tokenizerConfig } from './tokenizer-config.ts';
import { tokenizerJson } from './tokenizer-json.ts';
import { unigramParts } from './unigram-json.ts';
import { wordPieceParts } from './word-piece-json.ts';

/** By `tokenizer.ggml.model`; SentencePiece's when not given. */
const partsOfKinds: Readonly<Record<string, typeof sentencePieceParts>> = {
  gpt2: byteLevelParts,
  bert: wordPieceParts,
  t5: unigramParts,
};

/**
 * tokenizer.json, tokenizer_config.json, special_tokens_map.json; tokenizer.model of a SentencePiece vocabulary;
 * chat_template.jinja when there is one template.
 * @throws QuernError those of `tokenizerFromGguf`, `tokenizer-not-expressible`
 */
export function tokenizerFilesOf(metadata: MetadataView): Map<string, string | Uint8Array> {
  const tokenizer = tokenizerFromGguf(metadata);
  const vocabulary = readVocabulary(metadata);
  const kind = readString(metadata, 'tokenizer.ggml.model');
  const isText = kind === 'gemma4' || (kind === 'gpt2' && preTokenizerOf(metadata).isText);
  const isByteLevel = kind === 'gpt2' && !isText;
  const isWordPiece = kind === 'bert';
  const strip = stripRules(readString(metadata, 'general.name') ?? '', vocabulary);
  const partsOf = isText ? textParts : (partsOfKinds[kind ?? ''] ?? sentencePieceParts);
  const isSentencePiece = partsOf === sentencePieceParts;
  const parts = partsOf(metadata, vocabulary);
  const sep = readInteger(metadata, 'tokenizer.ggml.seperator_token_id');
  // GGUF has `▁` before the text of a token of WordPiece that is added and not special: it is a word like others.
  const addedTokens = addedTokensOf(vocabulary, strip).filter(({ special }) => special || !isWordPiece);
  const json = tokenizerJson(parts, addedTokens, postProcessorOf(metadata, tokenizer, isByteLevel, sep));

  const names = specialTokenNames(metadata, tokenizer);
  const decoder = isSentencePiece ? addedTokens.filter(({ id }) => isAdded(vocabulary, id)) : [];
  const config = tokenizerConfig(
    metadata,
    names,
    json,
    Object.fromEntries(decoder.map(({ id, ...rest }) => [id, rest])),
  );
  const files = new Map<string, string | Uint8Array>([
    ['tokenizer.json', `${JSON.stringify(json)}\n`],
    ['tokenizer_config.json', `${JSON.stringify(config, null, 2)}\n`],
    ['special_tokens_map.json', `${JSON.stringify(specialTokensMap(names, vocabulary), null, 2)}\n`],
  ]);
  const model = isSentencePiece ? sentencePieceModel(metadata, vocabulary, tokenizer) : undefined;
  if (model) files.set('tokenizer.model', model);
  const template = readString(metadata, 'tokenizer.chat_template');
  if (template !== undefined && !('chat_template' in config)) files.set('chat_template.jinja', template);
  return files;
}
