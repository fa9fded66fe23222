import { describe, expect, it } from 'vitest';
import { tokenTypes } from '../tokenizer.ts';
import { findSpecialTokens } from './special-tokens.ts';
import { readVocabulary } from './vocabulary.ts';

/** Special tokens of a vocabulary of normal tokens, by text. */
function find(texts: string[], ids: Record<string, number> = {}, defaults = {}) {
  const metadata = new Map<string, { type: string; value: unknown }>([
    ['tokenizer.ggml.tokens', { type: 'array', value: texts }],
    ...Object.entries(ids).map(
      ([name, value]) => [`tokenizer.ggml.${name}_token_id`, { type: 'uint32', value }] as const,
    ),
  ]);
  const found = findSpecialTokens(metadata, readVocabulary(metadata), defaults);
  return { ...found, ends: [...found.endOfGeneration].map((id) => texts[id]).sort() };
}

// Expected sets follow llama.cpp's `llama_vocab::impl::load`.
describe('findSpecialTokens', () => {
  it('ends at every token whose text ends a turn in some family, and makes it control', () => {
    const found = find(['a', '<|im_end|>', '<|endoftext|>', '</s>', '<|fim_pad|>', '<|file_sep|>', '<|fim_prefix|>']);
    expect(found.ends).toEqual(['</s>', '<|endoftext|>', '<|file_sep|>', '<|fim_pad|>', '<|im_end|>']);
    const { normal, control } = tokenTypes;
    expect([...found.types]).toEqual([normal, control, control, control, control, control, control]);
  });

  it('ends at EOS, EOT and EOM as the metadata names them', () => {
    const found = find(['a', 'b', 'c', 'd'], { eos: 1, eot: 2, eom: 3 });
    expect(found.ends).toEqual(['b', 'c', 'd']);
    expect(found.eos).toBe(1);
  });

  it('tells the ends that are none but in fill-in-the-middle text', () => {
    const texts = ['<reponame>', '<|endoftext|>', '<|file_sep|>', '[PAD]'];
    expect([...find(texts).endOfFillIn]).toEqual([3, 0, 2]);
    expect([...find(texts, { eos: 3 }).endOfFillIn]).toEqual([0, 2]);
  });

  it('goes on after <|end|> in Harmony, and writes its channel markers', () => {
    const found = find(['<|end|>', '<|return|>', '<|call|>', '<|channel|>']);
    expect(found.ends).toEqual(['<|call|>', '<|return|>']);
    expect(found.types[0]).toBe(tokenTypes.userDefined);
    expect(found.types[3]).toBe(tokenTypes.userDefined);
  });

  it('falls back to the defaults, and to nothing for ids outside the vocabulary', () => {
    expect(find(['a', 'b', 'c'], { bos: 9 }, { bos: 1, eos: 2, unk: 7 })).toMatchObject({
      bos: 1,
      eos: 2,
      unk: undefined,
    });
    expect(find(['a', 'b'], { bos: 9 })).toMatchObject({ bos: undefined, eos: undefined });
  });
});
