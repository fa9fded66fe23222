// WordPiece in tokenizer.json, or in vocab.txt alone (one token a line), for GGUF (converter: BertModel.set_vocab of
// llama.cpp's conversion/bert.py): `word` becomes `▁word`, `##piece` becomes `piece`.
import { QuernError } from '@quern/errors';
import { tokenTypes } from '../tokenizer.ts';
import { maxWordCharacters } from '../word-piece/word-piece.ts';
import { specialTexts } from './added-tokens.ts';
import { readVocab } from './bpe-model.ts';
import { byteLevelVocabulary } from './byte-level-vocabulary.ts';
import { asObject, type CheckpointFiles, isObject, type JsonObject } from './checkpoint-files.ts';
import type { TokenEntry, TokenList } from './token-list.ts';

const file = 'tokenizer.json';
const prefix = '##';

export const isWordPiece = (tokenizer: JsonObject): boolean =>
  isObject(tokenizer.model) && tokenizer.model.type === 'WordPiece';

/** What GGUF has keys for; undefined where tokenizer.json leaves it open: then accents go when letters become small. */
export interface WordNormalizer {
  readonly lowercase?: boolean;
  readonly stripAccents?: boolean;
}

/** @throws QuernError `tokenizer-json-malformed`, `tokenizer-vocab-*`, `tokenizer-kind-unsupported` */
export function wordPieceVocabulary(
  tokenizer: JsonObject,
  config: JsonObject | undefined,
  specialTokensMap: JsonObject | undefined,
  list: TokenList,
): readonly TokenEntry[] {
  const model = asObject(tokenizer.model, file, 'model');
  const { continuing_subword_prefix: continuing = prefix, max_input_chars_per_word: most = maxWordCharacters } = model;
  if (continuing !== prefix) throw unsupported(`marks the rest of a word by ${JSON.stringify(continuing)}, not ##`);
  if (most !== maxWordCharacters) throw unsupported(`takes words of ${most} characters, not of ${maxWordCharacters}`);
  const vocab = readVocab(model, file);
  const tokens = byteLevelVocabulary({ vocab }, tokenizer, config, specialTokensMap, list);
  return tokens.map((token) => ({ ...token, text: phantom(token) }));
}

const phantom = ({ text, type }: TokenEntry): string =>
  type === tokenTypes.control ? text : text.startsWith(prefix) ? text.slice(prefix.length) : `▁${text}`;

/** @throws QuernError `normalizer-unsupported`, `pre-tokenizer-unsupported` */
export function wordNormalizer({ normalizer, pre_tokenizer: cutter }: JsonObject): WordNormalizer {
  if (!isObject(cutter) || cutter.type !== 'BertPreTokenizer')
    throw new QuernError(
      'pre-tokenizer-unsupported',
      `The pre-tokenizer in tokenizer.json is ${JSON.stringify(cutter)}.`,
      { file, remedy: 'With WordPiece, GGUF can only say BertPreTokenizer.' },
    );
  const given = isObject(normalizer) ? normalizer : {};
  const { lowercase, strip_accents: stripAccents, clean_text: clean, handle_chinese_chars: chinese } = given;
  const isPlain = (value: unknown) => value === undefined || value === null || typeof value === 'boolean';
  if (
    given.type !== 'BertNormalizer' ||
    clean === false ||
    chinese === false ||
    ![lowercase, stripAccents].every(isPlain)
  )
    throw new QuernError('normalizer-unsupported', `tokenizer.json normalizes text by ${JSON.stringify(normalizer)}.`, {
      file,
      remedy: 'With WordPiece, GGUF can only say BertNormalizer with clean_text and handle_chinese_chars.',
    });
  return {
    ...(typeof lowercase === 'boolean' && { lowercase }),
    ...(typeof stripAccents === 'boolean' && { stripAccents }),
  };
}

/** What transformers' BertTokenizer takes for granted. */
const bertTokens = {
  ...{ unk_token: '[UNK]', sep_token: '[SEP]', pad_token: '[PAD]', cls_token: '[CLS]', mask_token: '[MASK]' },
};

/** As tokenizer.json and tokenizer_config.json have it; undefined without vocab.txt. */
export async function wordListTokenizer(
  files: CheckpointFiles,
  config: JsonObject | undefined,
  specialTokensMap: JsonObject | undefined,
): Promise<{ tokenizer: JsonObject; config: JsonObject } | undefined> {
  const text = await files.readText('vocab.txt');
  if (text === undefined) return undefined;
  const lines = text.replace(/\r?\n$/, '').split(/\r?\n/);
  const whole: JsonObject = { ...bertTokens, ...specialTokensMap, ...config };
  const special = specialTexts(whole);
  const around = (name: string) => ({ SpecialToken: { id: whole[name], type_id: 0 } });
  const sequence = (id: 'A' | 'B') => ({ Sequence: { id, type_id: 0 } });
  return {
    config: whole,
    tokenizer: {
      normalizer: {
        type: 'BertNormalizer',
        clean_text: true,
        handle_chinese_chars: whole.tokenize_chinese_chars !== false,
        strip_accents: whole.strip_accents ?? null,
        lowercase: whole.do_lower_case !== false,
      },
      pre_tokenizer: { type: 'BertPreTokenizer' },
      post_processor: {
        type: 'TemplateProcessing',
        single: [around('cls_token'), sequence('A'), around('sep_token')],
        pair: [around('cls_token'), sequence('A'), around('sep_token'), sequence('B'), around('sep_token')],
      },
      model: { type: 'WordPiece', vocab: Object.fromEntries(lines.map((line, id) => [line, id])) },
      added_tokens: lines.flatMap((content, id) => (special.has(content) ? [{ id, content, special: true }] : [])),
    },
  };
}

const unsupported = (what: string): QuernError =>
  new QuernError('tokenizer-kind-unsupported', `The WordPiece model in tokenizer.json ${what}.`, {
    file,
    remedy: 'GGUF has no place for it; use a model with the usual value.',
  });
