// Unigram tokenizers for GGUF (`tokenizer.ggml.model` "t5"): the keys, and behind them how the tokenizers library cuts, which
// on odd texts is not quite as llama.cpp does.
import { beyondKeys } from '../beyond-gguf.ts';
import { compileNormalizer } from '../steps/normalizer.ts';
import { compilePreTokenizer } from '../steps/pre-tokenizer.ts';
import { base64Of, bytesOfBase64 } from '../unigram/base64.ts';
import { specialTexts } from './added-tokens.ts';
import { asArray, isObject, type JsonObject } from './checkpoint-files.ts';
import type { GgufLikeMetadata } from './gguf-like-value.ts';
import { parseSentencePieceModel } from './sentence-piece-model.ts';
import type { TokenList } from './token-list.ts';
import { alignedPieces, areAligned, readUnigramModel, unigramVocabulary } from './unigram-vocabulary.ts';
import { setFlag, setText, writeTokens } from './write-tokens.ts';

export interface UnigramFiles {
  readonly tokenizer: JsonObject;
  readonly config: JsonObject | undefined;
  readonly specialTokensMap: JsonObject | undefined;
  readonly tokens: TokenList;
  /** sentencepiece.bpe.model */
  readonly pieces: Uint8Array | undefined;
  readonly vocabSize: number | undefined;
  readonly tokenTypeCount: unknown;
}

/** @returns keys to be written behind those of the special tokens */
export function writeUnigram(metadata: GgufLikeMetadata, given: UnigramFiles): GgufLikeMetadata {
  const { tokenizer, config, specialTokensMap, tokens, vocabSize, tokenTypeCount } = given;
  compileNormalizer(tokenizer.normalizer);
  compilePreTokenizer(tokenizer.pre_tokenizer);
  const { pieces } = given.pieces ? parseSentencePieceModel(given.pieces, 'unigram') : { pieces: undefined };
  const size = vocabSize ?? readUnigramModel(tokenizer).pieces.length;
  const list =
    pieces && areAligned(pieces, tokenizer)
      ? alignedPieces(pieces, size, tokens)
      : unigramVocabulary(tokenizer, config, specialTokensMap, tokens);
  const spacing = spacingOf(tokenizer);
  setText(metadata, 'tokenizer.ggml.model', 't5');
  setText(metadata, 'tokenizer.ggml.pre', 'default');
  writeTokens(metadata, list, true);
  setFlag(metadata, 'tokenizer.ggml.add_space_prefix', spacing.spacePrefix);
  if (Number.isInteger(tokenTypeCount))
    metadata.set('tokenizer.ggml.token_type_count', { type: 'uint32', value: Number(tokenTypeCount) });
  setFlag(metadata, 'tokenizer.ggml.remove_extra_whitespaces', spacing.mergeSpaces);
  if (spacing.map.length > 0)
    metadata.set('tokenizer.ggml.precompiled_charsmap', { type: 'array', of: 'uint8', value: [...spacing.map] });
  const behind: GgufLikeMetadata = new Map();
  if (isObject(tokenizer.normalizer)) setText(behind, beyondKeys.normalizer, JSON.stringify(tokenizer.normalizer));
  setText(behind, beyondKeys.preTokenizer, JSON.stringify(tokenizer.pre_tokenizer ?? null));
  if (spacing.refused !== undefined) setText(behind, beyondKeys.refused, spacing.refused);
  return behind;
}

interface Spacing {
  readonly map: Uint8Array;
  readonly spacePrefix: boolean;
  readonly mergeSpaces: boolean;
  /** What of it no file can say. */
  readonly refused?: string;
}

/** The steps that SentencePiece's own way becomes in tokenizer.json, in the spellings of several years. */
function spacingOf({ normalizer, pre_tokenizer: preTokenizer }: JsonObject): Spacing {
  let map: Uint8Array = new Uint8Array(0);
  let mergeSpaces = false;
  let spacePrefix = false;
  const unknown: string[] = [];
  flattened(normalizer, 'normalizers').forEach((step, place) => {
    if (step.type === 'Precompiled' && place === 0) map = bytesOfBase64(String(step.precompiled_charsmap ?? ''));
    else if (step.type === 'Replace' && isSeveralSpaces(step.pattern) && ['▁', ' '].includes(String(step.content)))
      mergeSpaces = true;
    else if (step.type !== 'Strip') unknown.push(`it normalizes text by ${step.type}`);
  });
  for (const step of flattened(preTokenizer, 'pretokenizers')) {
    if (step.type === 'WhitespaceSplit') mergeSpaces = true;
    else if (step.type === 'Metaspace' && (step.replacement ?? '▁') === '▁')
      spacePrefix =
        step.prepend_scheme === undefined ? step.add_prefix_space !== false : step.prepend_scheme !== 'never';
    else unknown.push(`it has the pre-tokenizer ${step.type}`);
  }
  if (mergeSpaces && !spacePrefix) unknown.push('it merges spaces and puts none in front of a text');
  return { map, spacePrefix, mergeSpaces, ...(unknown.length > 0 && { refused: unknown.join(', ') }) };
}

const isSeveralSpaces = (pattern: unknown): boolean => isObject(pattern) && pattern.Regex === ' {2,}';

function flattened(value: unknown, steps: string): readonly JsonObject[] {
  if (!isObject(value)) return [];
  if (value.type !== 'Sequence') return [value];
  return asArray(value[steps], 'tokenizer.json', steps).flatMap((step) => flattened(step, steps));
}

/** What transformers' XLMRobertaTokenizer takes for granted. */
const xlmRobertaTokens = {
  ...{
    bos_token: '<s>',
    eos_token: '</s>',
    unk_token: '<unk>',
    sep_token: '</s>',
    pad_token: '<pad>',
    cls_token: '<s>',
  },
  mask_token: '<mask>',
};

/** sentencepiece.bpe.model of XLM-RoBERTa alone, as tokenizer.json and tokenizer_config.json have it. */
export function xlmRobertaTokenizer(
  bytes: Uint8Array,
  config: JsonObject | undefined,
  specialTokensMap: JsonObject | undefined,
): { tokenizer: JsonObject; config: JsonObject } {
  const { pieces, normalizer } = parseSentencePieceModel(bytes, 'unigram');
  const whole: JsonObject = { ...xlmRobertaTokens, ...specialTokensMap, ...config };
  const texts = ['<s>', '<pad>', '</s>', '<unk>', ...pieces.slice(3).map(({ text }) => text), '<mask>'];
  const special = specialTexts(whole);
  const map =
    normalizer.characterMap.length > 0
      ? [{ type: 'Precompiled', precompiled_charsmap: base64Of(normalizer.characterMap) }]
      : [];
  const around = (text: string) => ({ SpecialToken: { id: text, type_id: 0 } });
  const sequence = (id: 'A' | 'B') => ({ Sequence: { id, type_id: 0 } });
  return {
    config: whole,
    tokenizer: {
      normalizer: {
        type: 'Sequence',
        normalizers: [
          ...map,
          { type: 'Strip', strip_left: false, strip_right: true },
          { type: 'Replace', pattern: { Regex: ' {2,}' }, content: '▁' },
        ],
      },
      pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
      post_processor: {
        type: 'TemplateProcessing',
        single: [around('<s>'), sequence('A'), around('</s>')],
        pair: [around('<s>'), sequence('A'), around('</s>'), around('</s>'), sequence('B'), around('</s>')],
      },
      model: {
        type: 'Unigram',
        unk_id: 3,
        vocab: texts.map((text, id) => [text, id < 4 ? 0 : (pieces[id - 1]?.score ?? 0)]),
      },
      added_tokens: texts.flatMap((content, id) =>
        special.has(content) ? [{ id, content, special: true, lstrip: content === '<mask>' }] : [],
      ),
    },
  };
}
