// tokenizer.json, put together: what the tokenizers library loads.

import type { AddedTokenJson } from './added-tokens.ts';

/** What depends on the kind of vocabulary. */
export interface TokenizerParts {
  normalizer: object | null;
  preTokenizer: object | null;
  decoder: object;
  model: {
    unk_token: string | null;
    fuse_unk: boolean;
    byte_fallback: boolean;
    ignore_merges: boolean;
    vocab: Readonly<Record<string, number>>;
    merges: readonly (readonly [string, string])[];
  };
}

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
  model: { type: 'BPE', dropout: null, continuing_subword_prefix: null, end_of_word_suffix: null, ...model },
});
