// Tokenizers that do what GGUF cannot say. Expected ids: the tokenizers library 0.23 on the same files.
import { describe, expect, it } from 'vitest';
import { tokenizerFromGguf } from '../from-gguf.ts';
import { byteCharacters } from '../vocabulary/byte-level.ts';
import { tokenizerMetadataFromHf, tokenizerViewFromHf } from './metadata-from-hf.ts';

type Json = Record<string, unknown>;

/** 256 bytes and no merges: an id is a byte, so what cuts and normalizes shows. "ab" and "é" are merged. */
const model = {
  type: 'BPE',
  vocab: Object.fromEntries([...byteCharacters, 'ab', 'Ã©'].map((text, id) => [text, id])),
  merges: ['a b', 'Ã ©'],
};
const split = (regex: string, behavior = 'Isolated', invert = false) => ({
  ...{ type: 'Split', pattern: { Regex: regex }, behavior, invert },
});
const files = (parts: Json) => ({
  readText: async (name: string) =>
    name === 'tokenizer.json' ? JSON.stringify({ model, pre_tokenizer: null, ...parts }) : undefined,
  readBytes: async () => undefined,
});
const bytes = (text: string): number[] => [...new TextEncoder().encode(text)];
const ids = async (parts: Json, text: string) => [
  ...tokenizerFromGguf(await tokenizerViewFromHf(files(parts), {})).encode(text, { parseSpecial: true }),
];

describe('a checkpoint that runs here', () => {
  it.each<[string, Json, string, number[]]>([
    ['nothing cut', {}, 'ab', [256]],
    ['cut by an unknown expression', { pre_tokenizer: split('a|b') }, 'ab', bytes('ab')],
    ['matches removed', { pre_tokenizer: split('x', 'Removed') }, 'axb', bytes('ab')],
    ['matches kept alone', { pre_tokenizer: split('[ab]+', 'Removed', true) }, 'xabx', [256]],
    [
      'joined to what is before',
      { pre_tokenizer: split('b', 'MergedWithPrevious') },
      'xabab',
      [...bytes('x'), 256, 256],
    ],
    ['joined to what is behind', { pre_tokenizer: split('a', 'MergedWithNext') }, 'abab', [256, 256]],
    ['white space dropped', { pre_tokenizer: { type: 'WhitespaceSplit' } }, 'ab ab', [256, 256]],
    [
      'a space put before',
      { pre_tokenizer: { type: 'ByteLevel', add_prefix_space: true } },
      'ab',
      [...bytes(' '), 256],
    ],
    ['composed', { normalizer: { type: 'NFC' } }, 'e\u0301', [257]],
    ['in lower case', { normalizer: { type: 'Lowercase' } }, 'AB', [256]],
    [
      'replaced, then stripped',
      {
        normalizer: {
          type: 'Sequence',
          normalizers: [
            { type: 'Replace', pattern: { Regex: '[xy]+' }, content: ' ' },
            { type: 'Strip', strip_left: true, strip_right: true },
            { type: 'Prepend', prepend: '>' },
          ],
        },
      },
      'xyabx',
      [...bytes('>'), 256],
    ],
    ['without marks', { normalizer: { type: 'StripAccents' } }, 'a\u0301b', [256]],
    [
      'an added token that takes the white space beside it',
      { added_tokens: [{ id: 258, content: '<m>', special: true, lstrip: true, rstrip: true }] },
      'ab  <m> ab',
      [256, 258, 256],
    ],
  ])('%s', async (_, parts, text, expected) => {
    expect(await ids(parts, text)).toEqual(expected);
  });

  it('finds the tokens that the checkpoint calls added, not those that look it', async () => {
    const spelled = { ...model, vocab: { ...model.vocab, '</s>': 258 } };
    expect(await ids({ model: spelled }, '</s>')).toEqual(bytes('</s>'));
    const added = [{ id: 258, content: '</s>', special: true }];
    expect(await ids({ model: spelled, added_tokens: added }, '</s>')).toEqual([258]);
  });
});

describe('a GGUF file', () => {
  it.each<[string, Json, string, string]>([
    ['an unknown expression', { pre_tokenizer: split('a|b') }, 'pre-tokenizer-unsupported', 'a|b'],
    [
      'a normalizer',
      { normalizer: { type: 'Lowercase' }, pre_tokenizer: { type: 'ByteLevel' } },
      'normalizer-unsupported',
      'Lowercase',
    ],
  ])('is refused %s, with its text', async (_, parts, code, text) => {
    await expect(tokenizerMetadataFromHf(files(parts), {})).rejects.toMatchObject({
      code,
      message: expect.stringContaining(text),
    });
  });

  it('has the name that a person gives, and nothing of ours', async () => {
    const options = { preTokenizer: 'qwen2' };
    const metadata = await tokenizerMetadataFromHf(files({ pre_tokenizer: split('a|b') }), options);
    expect(metadata.get('tokenizer.ggml.pre')?.value).toBe('qwen2');
    expect([...metadata.keys()].filter((key) => key.startsWith('quern.'))).toEqual([]);
    await expect(tokenizerMetadataFromHf(files({}), { preTokenizer: 'qwen-9' })).rejects.toMatchObject({
      code: 'pre-tokenizer-unknown',
    });
  });
});
