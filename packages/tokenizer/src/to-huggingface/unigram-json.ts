// A Unigram vocabulary as the parts of tokenizer.json.
import { characterMapBytes } from '../from-gguf.ts';
import { type MetadataView, readBoolean, readInteger } from '../metadata-view.ts';
import { tokenTypes } from '../tokenizer.ts';
import { base64Of } from '../unigram/base64.ts';
import type { Vocabulary } from '../vocabulary/vocabulary.ts';
import type { TokenizerParts } from './tokenizer-json.ts';

export function unigramParts(metadata: MetadataView, { texts, types, scores }: Vocabulary): TokenizerParts {
  const says = (key: string) => readBoolean(metadata, `tokenizer.ggml.${key}`) ?? false;
  const map = characterMapBytes(metadata);
  const mask = readInteger(metadata, 'tokenizer.ggml.mask_token_id');
  // Conversion of sentencepiece.bpe.model knows the id of `<mask>` and not its text.
  const text = (id: number) => (id === mask && types[id] === tokenTypes.unused ? '<mask>' : texts[id]!);
  const spaces = {
    type: 'Metaspace',
    replacement: '▁',
    prepend_scheme: says('add_space_prefix') ? 'always' : 'never',
    split: true,
  };
  const merged = { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, spaces] };
  const unknown = readInteger(metadata, 'tokenizer.ggml.unknown_token_id') ?? types.indexOf(tokenTypes.unknown);
  return {
    normalizer: map ? { type: 'Precompiled', precompiled_charsmap: base64Of(map) } : null,
    preTokenizer: says('remove_extra_whitespaces') ? merged : spaces,
    decoder: spaces,
    model: {
      type: 'Unigram',
      unk_id: Math.max(unknown, 0),
      vocab: texts.map((_, id) => [text(id), scores[id]!] as const),
      byte_fallback: false,
    },
  };
}
