import { describe, expect, it } from 'vitest';
import { tokenTypes } from '../tokenizer.ts';
import { createPartition, stripRules } from './partition.ts';
import { TextIndex } from './text-index.ts';
import type { Vocabulary } from './vocabulary.ts';

const texts = ['<s>', '<s>x', '  ', '<|user|>', '<unk>'];
const vocabulary: Vocabulary = {
  texts,
  types: Int32Array.of(
    ...[tokenTypes.control, tokenTypes.userDefined, tokenTypes.userDefined, tokenTypes.control, tokenTypes.unknown],
  ),
  scores: new Float32Array(texts.length),
  idOf: new TextIndex(texts),
};
const partition = (text: string, parseSpecial: boolean, model = '') =>
  createPartition(vocabulary, vocabulary.types, stripRules(model, vocabulary))(text, parseSpecial);

describe('createPartition', () => {
  it('leaves control and unknown tokens as text unless asked, user-defined ones never', () => {
    expect(partition('a<s>b  c<unk>', false)).toEqual(['a<s>b', 2, 'c<unk>']);
    expect(partition('a<s>b  c<unk>', true)).toEqual(['a', 0, 'b', 2, 'c', 4]);
  });

  it('prefers the longer token', () => {
    expect(partition('<s>xy', true)).toEqual([1, 'y']);
  });

  it('has no empty pieces', () => {
    expect(partition('<s><s>', true)).toEqual([0, 0]);
    expect(partition('', true)).toEqual([]);
  });

  it("strips behind Phi-3's special tokens, but not behind those of its base vocabulary", () => {
    expect(partition('a <|user|>\n b<s> c', true, 'Phi-3-mini')).toEqual(['a ', 3, 'b', 0, ' c']);
    expect(partition('a <|user|>\n b', true, 'llama')).toEqual(['a ', 3, '\n b']);
  });
});
