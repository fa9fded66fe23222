// tokenizer.json, put together: what the tokenizers library loads.

import type { AddedTokenJson } from './added-tokens.ts';

/** What depends on the kind of vocabulary. */
export interface TokenizerParts {
  normalizer: object | null;
  preTokenizer: object | null;
  decoder: object;
  model: BpeJson | WordPieceJson | UnigramJson;
}

interface UnigramJson {
  type: 'Unigram';
  unk_id: number;
  vocab: readonly (readonly [text: string, score: number])[];
  byte_fallback: boolean;
}

interface WordPieceJson {
  type: 'WordPiece';
  unk_token: string;
  continuing_subword_prefix: string;
  max_input_chars_per_word: number;
  vocab: Readonly<Record<string, number>>;
}

interface BpeJson {
  type: 'BPE';
  unk_token: string | null;
  fuse_unk: boolean;
  byte_fallback: boolean;
  ignore_merges: boolean;
  vocab: Readonly<Record<string, number>>;
  merges: readonly (readonly [string, string])[];
}

/** In the order in which the tokenizers library writes them. */
const bpeDefaults = { type: 'BPE', dropout: null, continuing_subword_prefix: null, end_of_word_suffix: null };

export const tokenizerJson = (
  { normalizer, preTokenizer, decoder, model }: TokenizerParts,
  addedTokens: readonly AddedTokenJson[],
  postProcessor: object | null,
) => ({
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: addedTokens,
  normalizer,
  pre_tokenizer: preTokenizer,
  post_processor: postProcessor,
  decoder,
  model: model.type === 'BPE' ? { ...bpeDefaults, ...model } : model,
});
