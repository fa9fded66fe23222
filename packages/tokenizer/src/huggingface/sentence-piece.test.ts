import { describe, expect, it } from 'vitest';
import { tokenizerMetadataFromHf } from './metadata-from-hf.ts';

/** A SentencePiece model, written byte by byte: piece texts up to 127 bytes. */
function model(
  pieces: readonly [text: string | Uint8Array, score?: number, type?: number][],
  modelType = 2,
): Uint8Array {
  const bytes: number[] = [];
  for (const [text, score, type] of pieces) {
    const utf8 = typeof text === 'string' ? new TextEncoder().encode(text) : text;
    const piece = [0x0a, utf8.length, ...utf8];
    if (score !== undefined) piece.push(0x15, ...new Uint8Array(Float32Array.of(score).buffer));
    if (type !== undefined) piece.push(0x18, type);
    bytes.push(0x0a, piece.length, ...piece);
  }
  return Uint8Array.from([...bytes, 0x12, 2, 0x18, modelType]);
}

const pieces: [string, number?, number?][] = [
  ['<unk>', 0, 2],
  ['<s>', 0, 3],
  ['▁a', -1.5],
  ['<x>', 0, 4],
  ['b', -2, 5],
];

function convert(bytes: Uint8Array, texts: Record<string, unknown> = {}, vocabSize = 8) {
  const files = {
    readText: async (name: string) => (name in texts ? JSON.stringify(texts[name]) : undefined),
    readBytes: async (name: string) => (name === 'tokenizer.model' ? bytes : undefined),
  };
  return tokenizerMetadataFromHf(files, { vocabSize });
}

describe('tokenizer.model', () => {
  it('becomes tokens, scores and types; user-defined pieces are normal, as the converter has it', async () => {
    const metadata = await convert(model(pieces));
    expect(
      Object.fromEntries([...metadata].map(([key, { value }]) => [key.replace('tokenizer.ggml.', ''), value])),
    ).toEqual({
      model: 'llama',
      pre: 'default',
      tokens: ['<unk>', '<s>', '▁a', '<x>', 'b', '[PAD5]', '[PAD6]', '[PAD7]'],
      scores: [0, 0, -1.5, 0, -2, -10000, -10000, -10000],
      token_type: [2, 3, 1, 1, 5, 5, 5, 5],
    });
  });

  it('is overlaid by added tokens', async () => {
    const metadata = await convert(model(pieces), {
      'added_tokens.json': { '<add>': 5, '<|x|>': 6 },
      'tokenizer_config.json': {
        add_prefix_space: false,
        added_tokens_decoder: {
          1: { content: '<s>', special: true },
          6: { content: '<|x|>', special: false },
          7: { content: '▁▁', special: false },
        },
      },
    });
    expect([...metadata.keys()][0]).toBe('tokenizer.ggml.add_space_prefix');
    expect(metadata.get('tokenizer.ggml.tokens')?.value).toEqual([
      '<unk>',
      '<s>',
      '▁a',
      '<x>',
      'b',
      '<add>',
      '<|x|>',
      '  ',
    ]);
    expect(metadata.get('tokenizer.ggml.scores')?.value).toEqual([0, -1000, -1.5, 0, -2, -1000, -1000, -1000]);
    expect(metadata.get('tokenizer.ggml.token_type')?.value).toEqual([2, 3, 1, 1, 5, 4, 3, 4]);
  });

  it.each<[string, string, Uint8Array, Record<string, unknown>?, number?]>([
    ['an empty file', 'sentence-piece-malformed', new Uint8Array(0)],
    ['text', 'protobuf-malformed', new TextEncoder().encode('version https://git-lfs')],
    ['a file cut off', 'protobuf-malformed', model(pieces).slice(0, 20)],
    ['a piece without text', 'sentence-piece-malformed', model([['']])],
    ['a text that is not UTF-8', 'sentence-piece-malformed', model([[Uint8Array.of(0xff)]])],
    ['an unknown type', 'sentence-piece-malformed', model([['a', 0, 9]])],
    ['a score that is no number', 'sentence-piece-malformed', model([['a', Number.NaN]])],
    ['Unigram', 'tokenizer-kind-unsupported', model(pieces, 1)],
    ['one text twice', 'tokenizer-vocab-duplicate', model([['a'], ['a']])],
    ['a list for tiktoken', 'tokenizer-class-unknown', new TextEncoder().encode('IQ== 0\nIg== 1\n')],
    ['an added token without an id', 'tokenizer-json-malformed', model(pieces), { 'added_tokens.json': { x: 'y' } }],
    [
      'an added token with a malformed id',
      'tokenizer-json-malformed',
      model(pieces),
      { 'tokenizer_config.json': { added_tokens_decoder: { '-1': { content: 'x' } } } },
    ],
  ])('is refused: %s', async (_, code, bytes, texts, vocabSize) => {
    await expect(convert(bytes, texts, vocabSize)).rejects.toThrow(
      expect.objectContaining({ name: 'QuernError', code, remedy: expect.any(String) }),
    );
  });
});

describe('BPE with byte fallback in tokenizer.json', () => {
  const tokenizer = (merges: string[], normalizers: unknown[]) => ({
    added_tokens: [{ id: 0, content: '<s>', special: true }],
    normalizer: { type: 'Sequence', normalizers },
    model: {
      type: 'BPE',
      byte_fallback: true,
      vocab: { '<s>': 0, '<0x61>': 1, '▁': 2, a: 3, b: 4, ab: 5, '▁a': 6, '▁ab': 7 },
      merges,
    },
  });
  const prepend = { type: 'Prepend', prepend: '▁' };
  const replace = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };
  const all = ['a b', '▁ a', '▁ ab', '▁a b'];
  const convertJson = (json: unknown) =>
    tokenizerMetadataFromHf(
      {
        readText: async (name) => (name === 'tokenizer.json' ? JSON.stringify(json) : undefined),
        readBytes: async () => undefined,
      },
      { vocabSize: 8 },
    );

  it('becomes a SentencePiece vocabulary with scores in the order of the merges', async () => {
    const metadata = await convertJson(tokenizer(all, [prepend, replace]));
    expect(metadata.get('tokenizer.ggml.model')?.value).toBe('llama');
    expect(metadata.get('tokenizer.ggml.scores')?.value).toEqual([-1000, 0, 0, 0, 0, -1, -2, -3]);
    expect(metadata.get('tokenizer.ggml.token_type')?.value).toEqual([3, 6, 1, 1, 1, 1, 1, 1]);
    expect(metadata.has('tokenizer.ggml.add_space_prefix')).toBe(false);
  });

  it('says so when no space is put before the text', async () => {
    const metadata = await convertJson(tokenizer(all, [replace]));
    expect(metadata.get('tokenizer.ggml.add_space_prefix')?.value).toBe(false);
  });

  it.each([
    ['a merge that SentencePiece would make is missing', tokenizer(all.slice(0, 3), [prepend, replace])],
    ['merges to one token stand apart', tokenizer(['a b', '▁ ab', '▁ a', '▁a b'], [prepend, replace])],
    ['spaces stay', tokenizer(all, [prepend])],
    ['text is lower-cased', tokenizer(all, [prepend, replace, { type: 'Lowercase' }])],
  ])('is refused when %s', async (_, json) => {
    await expect(convertJson(json)).rejects.toThrow(expect.objectContaining({ code: 'tokenizer-kind-unsupported' }));
  });
});
