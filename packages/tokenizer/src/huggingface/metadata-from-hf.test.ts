import { describe, expect, it } from 'vitest';
import { tokenizerFromGguf } from '../from-gguf.ts';
import { byteCharacters } from '../vocabulary/byte-level.ts';
import type { CheckpointFiles } from './checkpoint-files.ts';
import type { GgufLikeMetadata } from './gguf-like-value.ts';
import { tokenizerMetadataFromHf } from './metadata-from-hf.ts';

type Json = Record<string, unknown>;

function files(contents: Record<string, Json | string | Uint8Array | undefined>): CheckpointFiles {
  return {
    readText: async (name) => {
      const content = contents[name];
      if (content === undefined || content instanceof Uint8Array) return undefined;
      return typeof content === 'string' ? content : JSON.stringify(content);
    },
    readBytes: async (name) => {
      const content = contents[name];
      return content instanceof Uint8Array ? content : undefined;
    },
  };
}

/** Qwen 2's shape: 256 bytes, two merges, two added tokens behind them. */
function byteLevel(change: (tokenizer: Json & { model: Json }) => void = () => {}): Json {
  const vocab = Object.fromEntries([...byteCharacters, 'he', 'hel'].map((text, id) => [text, id]));
  const tokenizer = {
    added_tokens: [
      { id: 258, content: '<|im_end|>', special: true },
      { id: 259, content: '<tool>', special: false },
    ],
    normalizer: { type: 'NFC' },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        {
          type: 'Split',
          pattern: {
            Regex:
              "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
          },
          behavior: 'Isolated',
          invert: false,
        },
        { type: 'ByteLevel', add_prefix_space: false, use_regex: false },
      ],
    },
    post_processor: null,
    model: { type: 'BPE', vocab, merges: [['h', 'e'], 'he l'] },
  };
  change(tokenizer);
  return tokenizer;
}

const config = { eos_token: '<|im_end|>', pad_token: { content: '<|im_end|>' }, chat_template: 'hi' };
const listOf = (metadata: GgufLikeMetadata, key: string) => metadata.get(`tokenizer.ggml.${key}`)?.value as unknown[];
const convert = (contents: Record<string, Json | string | Uint8Array | undefined>, vocabSize = 264) =>
  tokenizerMetadataFromHf(files(contents), { vocabSize, architecture: 'qwen2' });

describe('tokenizerMetadataFromHf, byte-level BPE', () => {
  it('writes tokens, types, merges, special ids and padding as the converter does', async () => {
    const metadata = await convert({ 'tokenizer.json': byteLevel(), 'tokenizer_config.json': config });
    expect([...metadata.keys()]).toEqual([
      'tokenizer.ggml.model',
      'tokenizer.ggml.pre',
      'tokenizer.ggml.tokens',
      'tokenizer.ggml.token_type',
      'tokenizer.ggml.merges',
      'tokenizer.ggml.eos_token_id',
      'tokenizer.ggml.padding_token_id',
      'tokenizer.chat_template',
    ]);
    expect(metadata.get('tokenizer.ggml.pre')?.value).toBe('qwen2');
    expect(listOf(metadata, 'tokens').slice(256)).toEqual([
      'he',
      'hel',
      '<|im_end|>',
      '<tool>',
      '[PAD260]',
      '[PAD261]',
      '[PAD262]',
      '[PAD263]',
    ]);
    expect(listOf(metadata, 'token_type').slice(256)).toEqual([1, 1, 3, 4, 5, 5, 5, 5]);
    expect(metadata.get('tokenizer.ggml.merges')?.value).toEqual(['h e', 'he l']);
    expect([...tokenizerFromGguf(metadata).encode('hello')]).toEqual([257, 108, 111]);
  });

  it('makes tokens special that the configuration names, and gives new ones the next ids', async () => {
    const more = { eos_token: 'hel', additional_special_tokens: ['<new>'] };
    const metadata = await convert({ 'tokenizer.json': byteLevel(), 'tokenizer_config.json': more });
    expect(listOf(metadata, 'token_type').slice(256, 262)).toEqual([1, 3, 3, 4, 3, 5]);
    expect(listOf(metadata, 'tokens')[260]).toBe('<new>');
  });

  const add = (id: string) => ({ SpecialToken: { id } });
  const sequence = (id: string) => ({ Sequence: { id } });
  it.each<[string, Json, Json, Json]>([
    [
      'ByteLevel then BOS by template',
      {
        type: 'Sequence',
        processors: [
          { type: 'ByteLevel' },
          {
            type: 'TemplateProcessing',
            single: [add('<|im_end|>'), sequence('A')],
            pair: [add('<|im_end|>'), sequence('A'), add('<|im_end|>'), sequence('B')],
          },
        ],
      },
      { bos_token: '<|im_end|>' },
      { bos_token_id: 258, add_bos_token: true, add_eos_token: false, add_sep_token: false },
    ],
    ['Roberta', { type: 'RobertaProcessing' }, {}, { add_bos_token: true, add_eos_token: true, add_sep_token: true }],
    [
      'another EOS than configured: that one ends turns',
      { type: 'TemplateProcessing', single: [sequence('A'), add('<|im_end|>')], pair: [] },
      { eos_token: '<tool>' },
      { eos_token_id: 258, eot_token_id: 259, add_eos_token: true },
    ],
    [
      'the configuration alone',
      {},
      { add_bos_token: false, bos_token: '<tool>' },
      { bos_token_id: 259, add_bos_token: false },
    ],
  ])('reads what is added around a text: %s', async (_, processor, more, expected) => {
    const tokenizer = byteLevel((each) => {
      each.post_processor = processor;
    });
    const metadata = await convert({
      'tokenizer.json': tokenizer,
      'tokenizer_config.json': { tokenizer_class: 'x', ...more },
    });
    const written = [...metadata].slice(5).map(([key, { value }]) => [key.replace('tokenizer.ggml.', ''), value]);
    expect(Object.fromEntries(written)).toEqual(expected);
  });

  it('takes ids from config.json where nothing else has them, and ignores lists and negative ids', async () => {
    const ids = { bos_token_id: 7, eos_token_id: [1, 2], pad_token_id: -1, unk_token_id: null };
    const metadata = await convert({ 'tokenizer.json': byteLevel(), 'config.json': ids });
    expect([...metadata].slice(5).map(([key, { value }]) => [key, value])).toEqual([
      ['tokenizer.ggml.bos_token_id', 7],
    ]);
  });

  it.each<[string, Record<string, Json | string>, Json]>([
    [
      'tokenizer_config.json first',
      { 'tokenizer_config.json': { chat_template: 'a' }, 'chat_template.jinja': 'b' },
      { chat_template: 'a' },
    ],
    [
      'then chat_template.jinja',
      { 'tokenizer_config.json': { x: 1 }, 'chat_template.jinja': 'b', 'chat_template.json': '{}' },
      { chat_template: 'b' },
    ],
    [
      'then chat_template.json',
      { 'tokenizer_config.json': { x: 1 }, 'chat_template.json': { chat_template: 'c' } },
      { chat_template: 'c' },
    ],
    [
      'several by name',
      {
        'tokenizer_config.json': {
          chat_template: [
            { name: 'default', template: 'd' },
            { name: 'tool-use', template: 't' },
          ],
        },
      },
      { 'chat_template.tool_use': 't', chat_templates: ['tool_use'], chat_template: 'd' },
    ],
  ])('finds the chat template: %s', async (_, contents, expected) => {
    const metadata = await convert({ 'tokenizer.json': byteLevel(), ...contents });
    const written = [...metadata].slice(5).map(([key, { value }]) => [key.replace('tokenizer.', ''), value]);
    expect(written).toEqual(Object.entries(expected));
  });
});

// llama.cpp's converter: "ignore token 512: id is out of range, max=511".
describe('tokens beyond the embedding are left out with a note', () => {
  const noted = async (contents: Parameters<typeof files>[0], vocabSize: number) => {
    const notes: string[] = [];
    const options = { vocabSize, architecture: 'qwen2', note: (text: string) => void notes.push(text) };
    return { metadata: await tokenizerMetadataFromHf(files(contents), options), notes };
  };

  it('added ones, in tokenizer.json and in the configuration', async () => {
    for (const contents of [
      { 'tokenizer.json': byteLevel((each) => void (each.added_tokens = [{ id: 264, content: '[PAD]' }])) },
      {
        'tokenizer.json': byteLevel(),
        'tokenizer_config.json': { added_tokens_decoder: { 264: { content: '[PAD]' } } },
      },
    ]) {
      const { metadata, notes } = await noted(contents, 264);
      expect(listOf(metadata, 'tokens')).toHaveLength(264);
      expect(listOf(metadata, 'tokens')).not.toContain('[PAD]');
      expect(notes).toEqual(['left out, beyond the 264 rows of the embedding: token "[PAD]" (264)']);
    }
  });

  it('of the vocabulary itself, with the merges that make them', async () => {
    const { metadata, notes } = await noted({ 'tokenizer.json': byteLevel() }, 257);
    expect(listOf(metadata, 'tokens').slice(-1)).toEqual(['he']);
    expect(listOf(metadata, 'merges')).toEqual(['h e']);
    expect(notes).toEqual(['left out, beyond the 257 rows of the embedding: 3 tokens, the first "hel" (257)']);
  });
});

describe('tokenizerMetadataFromHf refuses', () => {
  const model = (change: (model: Json & { vocab: Record<string, unknown> }) => void) =>
    byteLevel((tokenizer) => change(tokenizer.model as Json & { vocab: Record<string, unknown> }));
  const cases: [
    what: string,
    code: string,
    contents: Record<string, Json | string | Uint8Array>,
    vocabSize?: number,
  ][] = [
    ['no tokenizer', 'tokenizer-missing', { 'tokenizer_config.json': {} }],
    ['JSON cut off', 'tokenizer-json-malformed', { 'tokenizer.json': '{"model": {' }],
    ['JSON that is a list', 'tokenizer-json-malformed', { 'tokenizer.json': '[]' }],
    [
      'a malformed configuration',
      'tokenizer-json-malformed',
      { 'tokenizer.json': byteLevel(), 'tokenizer_config.json': 'x' },
    ],
    ['no model', 'tokenizer-json-malformed', { 'tokenizer.json': {} }],
    [
      'no vocabulary',
      'tokenizer-json-malformed',
      { 'tokenizer.json': model((each) => Object.assign(each, { vocab: undefined })) },
    ],
    [
      'an empty vocabulary',
      'tokenizer-json-malformed',
      { 'tokenizer.json': model((each) => Object.assign(each, { vocab: {} })) },
    ],
    [
      'no merges',
      'tokenizer-json-malformed',
      { 'tokenizer.json': model((each) => Object.assign(each, { merges: null })) },
    ],
    ['a negative id', 'tokenizer-json-malformed', { 'tokenizer.json': model(({ vocab }) => void (vocab.he = -1)) }],
    ['a fractional id', 'tokenizer-json-malformed', { 'tokenizer.json': model(({ vocab }) => void (vocab.he = 1.5)) }],
    [
      'a merge of three',
      'tokenizer-json-malformed',
      { 'tokenizer.json': model((each) => Object.assign(each, { merges: ['a b c'] })) },
    ],
    ['one id twice', 'tokenizer-vocab-duplicate', { 'tokenizer.json': model(({ vocab }) => void (vocab.he = 5)) }],
    [
      'one text twice',
      'tokenizer-vocab-duplicate',
      { 'tokenizer.json': byteLevel((each) => void (each.added_tokens = [{ id: 258, content: 'he' }])) },
    ],
    [
      'many ids without a token',
      'tokenizer-vocab-gap',
      { 'tokenizer.json': model(({ vocab }) => void (vocab.far = 5000)) },
      6000,
    ],
    [
      'a merge of unknown tokens',
      'tokenizer-merge-unknown',
      { 'tokenizer.json': model((each) => Object.assign(each, { merges: ['zz y'] })) },
    ],
    [
      'a merge to an unknown token',
      'tokenizer-merge-unknown',
      { 'tokenizer.json': model((each) => Object.assign(each, { merges: ['z y'] })) },
    ],
    [
      'WordLevel',
      'tokenizer-kind-unsupported',
      { 'tokenizer.json': model((each) => Object.assign(each, { type: 'WordLevel' })) },
    ],
    [
      'WordPiece behind another pre-tokenizer than its own',
      'pre-tokenizer-unsupported',
      { 'tokenizer.json': model((each) => Object.assign(each, { type: 'WordPiece' })) },
    ],
    [
      'WordPiece with words of another length',
      'tokenizer-kind-unsupported',
      { 'tokenizer.json': model((each) => Object.assign(each, { type: 'WordPiece', max_input_chars_per_word: 50 })) },
    ],
    [
      'suffixes at word ends',
      'tokenizer-kind-unsupported',
      { 'tokenizer.json': model((each) => Object.assign(each, { end_of_word_suffix: '</w>' })) },
    ],
    [
      'lower-casing',
      'normalizer-unsupported',
      { 'tokenizer.json': byteLevel((each) => void (each.normalizer = { type: 'Lowercase' })) },
    ],
    [
      'an unknown split',
      'pre-tokenizer-unsupported',
      {
        'tokenizer.json': byteLevel(
          (each) => void (each.pre_tokenizer = { type: 'Split', pattern: { Regex: 'x+' }, behavior: 'Isolated' }),
        ),
      },
    ],
    [
      'an unknown step',
      'pre-tokenizer-unsupported',
      { 'tokenizer.json': byteLevel((each) => void (each.pre_tokenizer = { type: 'BertPreTokenizer' })) },
    ],
    [
      'a space before the text',
      'pre-tokenizer-unsupported',
      {
        'tokenizer.json': byteLevel(
          (each) => void (each.pre_tokenizer = { type: 'ByteLevel', add_prefix_space: true, use_regex: true }),
        ),
      },
    ],
    [
      'no pre-tokenizer',
      'pre-tokenizer-unsupported',
      { 'tokenizer.json': byteLevel((each) => void (each.pre_tokenizer = null)) },
    ],
    ['a vocabulary of no size', 'tokenizer-vocab-size', { 'tokenizer.json': byteLevel() }, 0],
    ['a vocabulary beyond reason', 'tokenizer-vocab-size', { 'tokenizer.json': byteLevel() }, 1e12],
  ];
  it.each(cases)('%s', async (_, code, contents, vocabSize) => {
    await expect(convert(contents, vocabSize)).rejects.toThrow(
      expect.objectContaining({ name: 'QuernError', code, remedy: expect.any(String) }),
    );
  });
});

describe('pre-tokenizers by structure', () => {
  const regex = (Regex: string) => ({ type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false });
  const bytes = (use_regex: boolean) => ({ type: 'ByteLevel', add_prefix_space: false, use_regex });
  const digits = (individual_digits: boolean) => ({ type: 'Digits', individual_digits });
  it.each<[string, unknown[]]>([
    ['gpt-2', [bytes(true)]],
    ['smollm', [digits(true), bytes(true)]],
    ['falcon', [{ type: 'Punctuation', behavior: 'Contiguous' }, bytes(true), digits(false), regex('[0-9][0-9][0-9]')]],
    [
      'deepseek-coder',
      [
        regex('[\r\n]'),
        regex('\\s?\\p{L}+'),
        regex('\\s?\\p{P}+'),
        regex('[一-龥ࠀ-一가-퟿]+'),
        digits(true),
        bytes(false),
      ],
    ],
    [
      'tekken',
      [
        regex(
          '[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+',
        ),
        bytes(false),
      ],
    ],
  ])('%s', async (name, pretokenizers) => {
    const tokenizer = byteLevel((each) => void (each.pre_tokenizer = { type: 'Sequence', pretokenizers }));
    const metadata = await convert({ 'tokenizer.json': tokenizer });
    expect(metadata.get('tokenizer.ggml.pre')?.value).toBe(name);
  });
});
