import { expect, it } from 'vitest';
import { refusePieces } from './file-pieces.ts';

it.each<[string[], string]>([
  [['m.gguf.part2of2', 'm.gguf.part1of2'], 'cat "m.gguf.part1of2" "m.gguf.part2of2" > "m.gguf"'],
  [['m.gguf.part-ab', 'm.gguf.part-aa'], 'cat "m.gguf.part-aa" "m.gguf.part-ab" > "m.gguf"'],
  [['m.Q6_K.gguf-split-a', 'm.Q6_K.gguf-split-b'], 'cat "m.Q6_K.gguf-split-a" "m.Q6_K.gguf-split-b" > "m.Q6_K.gguf"'],
  [['m.gguf.part10', 'm.gguf.part9'], 'cat "m.gguf.part9" "m.gguf.part10" > "m.gguf"'],
  [['m.gguf.aa', 'm.gguf.ab'], 'cat "m.gguf.aa" "m.gguf.ab" > "m.gguf"'],
  [
    ['model.safetensors.001', 'model.safetensors.002'],
    'cat "model.safetensors.001" "model.safetensors.002" > "model.safetensors"',
  ],
  [
    ['m.gguf.part-00001-of-00002', 'm.gguf.part-00002-of-00002'],
    'quern merge "m.gguf.part-00001-of-00002" "m.gguf.part-00002-of-00002"',
  ],
])('%j', (names, remedy) => {
  for (const given of [undefined, names[0]])
    expect(() => refusePieces([...names, 'README.md'], 'folder', given)).toThrow(
      expect.objectContaining({ code: 'checkpoint-in-pieces', remedy: expect.stringContaining(remedy) }),
    );
});

it('whole files are none', () => {
  const names = [
    'm.gguf',
    'm-00001-of-00002.gguf',
    'model.safetensors',
    'model.safetensors.index.json',
    'm.gguf.md5',
    'm.gguf.json',
    'split.py',
  ];
  expect(refusePieces(names, 'folder')).toBeUndefined();
});
