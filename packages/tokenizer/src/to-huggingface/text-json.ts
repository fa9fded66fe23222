// BPE that merges the text itself (Gemma 4) as the parts of tokenizer.json: spaces are `▁`, characters without a token bytes.

import { type MetadataView, readStrings } from '../metadata-view.ts';
import { tokenTypes } from '../tokenizer.ts';
import type { Vocabulary } from '../vocabulary/vocabulary.ts';
import { vocabOf } from './added-tokens.ts';
import { mergePairs } from './byte-level-json.ts';
import type { TokenizerParts } from './tokenizer-json.ts';

/** @throws QuernError `tokenizer-not-expressible` */
export function textParts(metadata: MetadataView, vocabulary: Vocabulary): TokenizerParts {
  const unknown = vocabulary.texts.indexOf('<unk>');
  const typed = vocabulary.types.indexOf(tokenTypes.unknown);
  const replace = (from: string, to: string) => ({ type: 'Replace', pattern: { String: from }, content: to });
  return {
    normalizer: replace(' ', '▁'),
    preTokenizer: { type: 'Split', pattern: { String: ' ' }, behavior: 'MergedWithPrevious', invert: false },
    decoder: { type: 'Sequence', decoders: [replace('▁', ' '), { type: 'ByteFallback' }, { type: 'Fuse' }] },
    model: {
      type: 'BPE',
      unk_token: vocabulary.texts[typed < 0 ? unknown : typed] ?? null,
      fuse_unk: true,
      byte_fallback: true,
      ignore_merges: false,
      vocab: vocabOf(vocabulary),
      merges: mergePairs(readStrings(metadata, 'tokenizer.ggml.merges') ?? [], vocabulary),
    },
  };
}
