import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tokenizerFromGguf } from './from-gguf.ts';
import type { MetadataView } from './metadata-view.ts';
import { tokenTypes } from './tokenizer.ts';
import { byteCharacters } from './vocabulary/byte-level.ts';

type Entry = { type: string; value: unknown };
const array = (value: unknown[]): Entry => ({ type: 'array', value });
const text = (value: string): Entry => ({ type: 'string', value });
const flag = (value: boolean): Entry => ({ type: 'bool', value });
const id = (value: number): Entry => ({ type: 'uint32', value });

const { normal, control, userDefined, byte, unknown, unused } = tokenTypes;

/** Byte-level BPE: the 256 bytes, a few merges, one token of each other kind. */
function byteLevel(changes: Record<string, Entry | undefined> = {}): MetadataView {
  const tokens = [...byteCharacters, 'he', 'll', 'hell', 'Ġhell', '<|im_end|>', '<tool>', '[PAD7]'];
  return changed(changes, {
    'tokenizer.ggml.model': text('gpt2'),
    'tokenizer.ggml.pre': text('qwen2'),
    'tokenizer.ggml.tokens': array(tokens),
    'tokenizer.ggml.token_type': array([...new Array(260).fill(normal), control, userDefined, unused]),
    'tokenizer.ggml.merges': array(['h e', 'l l', 'he ll', 'Ġ hell']),
    'tokenizer.ggml.eos_token_id': id(260),
  });
}

/** SentencePiece: unknown, BOS, EOS, 256 byte tokens, a few pieces. */
function sentencePiece(changes: Record<string, Entry | undefined> = {}): MetadataView {
  const bytes = Array.from({ length: 256 }, (_, value) => `<0x${value.toString(16).toUpperCase().padStart(2, '0')}>`);
  const pieces = ['▁', 'h', 'e', 'l', 'o', 'he', 'll', 'hell', '▁hell'];
  return changed(changes, {
    'tokenizer.ggml.model': text('llama'),
    'tokenizer.ggml.pre': text('default'),
    'tokenizer.ggml.tokens': array(['<unk>', '<s>', '</s>', ...bytes, ...pieces]),
    'tokenizer.ggml.scores': array([0, 0, 0, ...bytes.map(() => 0), -9, -9, -9, -9, -9, -1, -2, -3, -4]),
    'tokenizer.ggml.token_type': array([
      unknown,
      control,
      control,
      ...bytes.map(() => byte),
      ...pieces.map(() => normal),
    ]),
  });
}

function changed(changes: Record<string, Entry | undefined>, metadata: Record<string, Entry>): MetadataView {
  const entries = Object.entries({ ...metadata, ...changes });
  return new Map(entries.filter((entry): entry is [string, Entry] => entry[1] !== undefined));
}

const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary-ascii' }),
);

describe('byte-level BPE from GGUF', () => {
  const tokenizer = tokenizerFromGguf(byteLevel());
  const pieces = (input: string, options = {}) =>
    [...tokenizer.encode(input, options)].map((each) => tokenizer.piece(each));

  it('merges in order of rank', () => {
    expect(pieces('hello hell')).toEqual(['hell', 'o', 'Ġhell']);
  });

  it('decodes what it encodes', () => {
    fc.assert(
      fc.property(anyText, (input) => {
        expect(tokenizer.decode(tokenizer.encode(input))).toBe(input);
      }),
      { numRuns: 1000 },
    );
  });

  it('reads lone surrogates as U+FFFD', () => {
    expect(tokenizer.decode(tokenizer.encode('a\ud800b'))).toBe('a\ufffdb');
  });

  it('recognises control tokens only when asked, and leaves them out of decoded text unless asked', () => {
    expect(pieces('o<|im_end|>', { parseSpecial: true })).toEqual(['o', '<|im_end|>']);
    expect(pieces('o<|im_end|>')).not.toContain('<|im_end|>');
    expect(tokenizer.decode([260, 261, 262])).toBe('<tool>');
    expect(tokenizer.decode([260, 261, 262], { special: true })).toBe('<|im_end|><tool>');
    expect([...tokenizer.endOfGeneration]).toEqual([260]);
  });

  it('adds BOS as the metadata says, else as the pre-tokenizer does', () => {
    const bos = { 'tokenizer.ggml.bos_token_id': id(260) };
    expect(tokenizerFromGguf(byteLevel(bos)).addBos).toBe(false);
    expect(tokenizerFromGguf(byteLevel({ ...bos, 'tokenizer.ggml.pre': text('llama-bpe') })).addBos).toBe(true);
    const both = tokenizerFromGguf(
      byteLevel({ ...bos, 'tokenizer.ggml.add_bos_token': flag(true), 'tokenizer.ggml.add_eos_token': flag(true) }),
    );
    expect([...both.encode('', { addSpecial: true })]).toEqual([260, 260]);
    expect([...both.encode('')]).toEqual([]);
  });

  it('takes a word that is a token whole when the pre-tokenizer ignores merges', () => {
    const changes = { 'tokenizer.ggml.merges': array([]), 'tokenizer.ggml.add_bos_token': flag(false) };
    const whole = tokenizerFromGguf(byteLevel({ ...changes, 'tokenizer.ggml.pre': text('llama-bpe') }));
    expect([...whole.encode('hell')]).toEqual([258]);
    expect(tokenizerFromGguf(byteLevel(changes)).encode('hell')).toHaveLength(4);
  });

  it('refuses ids outside the vocabulary', () => {
    for (const bad of [-1, 263, 0.5, Number.NaN]) {
      expect(() => tokenizer.decode([bad])).toThrow(expect.objectContaining({ code: 'token-out-of-range' }));
    }
  });
});

describe('SentencePiece from GGUF', () => {
  const tokenizer = tokenizerFromGguf(sentencePiece());
  const pieces = (input: string, options = {}) =>
    [...tokenizer.encode(input, options)].map((each) => tokenizer.piece(each));

  it('puts a space before the text and after special tokens, and falls back to bytes', () => {
    expect(pieces('hello')).toEqual(['▁hell', 'o']);
    expect(pieces('<s>hello</s>', { parseSpecial: true, addSpecial: true })).toEqual([
      '<s>',
      '<s>',
      '▁hell',
      'o',
      '</s>',
    ]);
    expect(pieces('é')).toEqual(['▁', '<0xC3>', '<0xA9>']);
  });

  it('does not when the metadata says so', () => {
    const plain = tokenizerFromGguf(sentencePiece({ 'tokenizer.ggml.add_space_prefix': flag(false) }));
    expect([...plain.encode('hello')].map((each) => plain.piece(each))).toEqual(['hell', 'o']);
  });

  it('decodes what it encodes, but for the space in front and the sign that spaces are written with', () => {
    fc.assert(
      fc.property(anyText, (input) => {
        const ids = tokenizer.encode(input);
        const written = input.replaceAll('▁', ' ');
        expect(tokenizer.decode(ids)).toBe(input === '' ? '' : ` ${written}`);
        expect(tokenizer.decode(ids, { stripSpacePrefix: true })).toBe(written);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('tokenizerFromGguf refuses', () => {
  const refused: [code: string, metadata: MetadataView][] = [
    ['tokenizer-model-missing', byteLevel({ 'tokenizer.ggml.model': undefined })],
    ['tokenizer-model-unknown', byteLevel({ 'tokenizer.ggml.model': text('rwkv') })],
    [
      'tokenizer-unknown-missing',
      byteLevel({ 'tokenizer.ggml.model': text('bert'), 'tokenizer.ggml.unknown_token_id': id(1 << 30) }),
    ],
    ['tokenizer-model-unknown', byteLevel({ 'tokenizer.ggml.model': text('constructor') })],
    ['tokenizer-metadata-type', byteLevel({ 'tokenizer.ggml.model': id(1) })],
    ['tokenizer-metadata-type', byteLevel({ 'tokenizer.ggml.tokens': text('a') })],
    ['tokenizer-metadata-type', byteLevel({ 'tokenizer.ggml.tokens': array([1]) })],
    ['tokenizer-metadata-type', byteLevel({ 'tokenizer.ggml.eos_token_id': text('2') })],
    ['tokenizer-metadata-type', byteLevel({ 'tokenizer.ggml.add_bos_token': id(1) })],
    ['pre-tokenizer-unknown', byteLevel({ 'tokenizer.ggml.pre': text('llama-9') })],
    ['tokenizer-tokens-missing', byteLevel({ 'tokenizer.ggml.tokens': undefined })],
    ['tokenizer-tokens-missing', byteLevel({ 'tokenizer.ggml.tokens': array([]) })],
    ['tokenizer-tokens-duplicate', byteLevel({ 'tokenizer.ggml.tokens': array(['a', 'a']) })],
    ['tokenizer-tokens-length', byteLevel({ 'tokenizer.ggml.token_type': array([1]) })],
    ['tokenizer-tokens-length', sentencePiece({ 'tokenizer.ggml.scores': array([1]) })],
    ['tokenizer-merges-missing', byteLevel({ 'tokenizer.ggml.merges': undefined })],
    ['tokenizer-merge-malformed', byteLevel({ 'tokenizer.ggml.merges': array(['he']) })],
    ['tokenizer-bos-missing', byteLevel({ 'tokenizer.ggml.add_bos_token': flag(true) })],
    [
      'tokenizer-eos-missing',
      byteLevel({ 'tokenizer.ggml.add_eos_token': flag(true), 'tokenizer.ggml.eos_token_id': undefined }),
    ],
  ];
  it.each(refused)('%s', (code, metadata) => {
    expect(() => tokenizerFromGguf(metadata)).toThrow(
      expect.objectContaining({ name: 'QuernError', code, remedy: expect.any(String) }),
    );
  });
});
