// WordPiece as the parts of tokenizer.json: `▁word` is `word` again, and what goes on has its `##`.
import { type MetadataView, readBoolean, readInteger } from '../metadata-view.ts';
import { tokenTypes } from '../tokenizer.ts';
import type { Vocabulary } from '../vocabulary/vocabulary.ts';
import { maxWordCharacters } from '../word-piece/word-piece.ts';
import { isPadding } from './added-tokens.ts';
import type { TokenizerParts } from './tokenizer-json.ts';

export function wordPieceParts(metadata: MetadataView, vocabulary: Vocabulary): TokenizerParts {
  const { texts } = vocabulary;
  const says = (name: string) => readBoolean(metadata, `tokenizer.ggml.normalizer.${name}`);
  const tokens = texts.flatMap((_, id) => (isPadding(vocabulary, id) ? [] : [[wordText(vocabulary, id), id] as const]));
  const unknown = readInteger(metadata, 'tokenizer.ggml.unknown_token_id');
  return {
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: says('strip_accents') ?? null,
      lowercase: says('lowercase') ?? true,
    },
    preTokenizer: { type: 'BertPreTokenizer' },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: unknown === undefined ? '[UNK]' : (texts[unknown] ?? '[UNK]'),
      continuing_subword_prefix: '##',
      max_input_chars_per_word: maxWordCharacters,
      vocab: Object.fromEntries(tokens),
    },
  };
}

function wordText({ texts, types }: Vocabulary, id: number): string {
  const text = texts[id]!;
  if (types[id] === tokenTypes.control) return text;
  return text.startsWith('▁') ? text.slice(1) : `##${text}`;
}
