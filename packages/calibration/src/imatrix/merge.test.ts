import { expect, test } from 'vitest';
import type { ImportanceMatrix } from './importance-matrix.ts';
import { mergeImatrices } from './merge.ts';

type Entries = Record<string, [sums: number[], counts: number[]]>;
const part = (file: string, entries: Entries, chunkSize = 512): { file: string; matrix: ImportanceMatrix } => ({
  file,
  matrix: {
    datasets: [`${file}.txt`],
    chunkCount: 1,
    chunkSize,
    entries: new Map(
      Object.entries(entries).map(([name, [sums, counts]]) => [
        name,
        { sums: Float32Array.from(sums), counts: Float32Array.from(counts) },
      ]),
    ),
  },
});
const plain = ({ entries }: ImportanceMatrix): Entries =>
  Object.fromEntries([...entries].map(([name, { sums, counts }]) => [name, [[...sums], [...counts]]]));

test('sums and counts add up, and every weight is kept', () => {
  const a = part('a', { w: [[1, 2], [512]], onlyA: [[5], [512]] });
  const b = part('b', { w: [[10, 20], [1024]], b: [[7], [1024]] });
  const merged = mergeImatrices([a, b]);
  expect(plain(merged)).toEqual({ b: [[7], [1024]], onlyA: [[5], [512]], w: [[11, 22], [1536]] });
  expect(merged).toMatchObject({ datasets: ['a.txt', 'b.txt'], chunkCount: 3, chunkSize: 512 });
});

test('experts add up one by one; one count for a stack holds for each of them', () => {
  const a = part('a', {
    w: [
      [1, 2, 3, 4],
      [512, 0],
    ],
  });
  const b = part('b', {
    w: [
      [1, 1, 1, 1],
      [100, 200],
    ],
  });
  const old = part('old', { w: [[0, 0, 0, 0], [512]] });
  expect(plain(mergeImatrices([a, b]))).toEqual({
    w: [
      [2, 3, 4, 5],
      [612, 200],
    ],
  });
  expect(plain(mergeImatrices([a, old]))).toEqual(plain(mergeImatrices([old, a])));
  expect(plain(mergeImatrices([a, old]))).toEqual({
    w: [
      [1, 2, 3, 4],
      [1024, 512],
    ],
  });
});

test('legacy files count in chunks, whose size the others or the caller say', () => {
  const legacy = part('old', { w: [[6, 8], [2]] }, 0);
  expect(plain(mergeImatrices([legacy, part('a', { w: [[1, 1], [512]] })]))).toEqual({
    w: [[6 * 512 + 1, 8 * 512 + 1], [1536]],
  });
  expect(plain(mergeImatrices([legacy], 100))).toEqual({ w: [[600, 800], [200]] });
  expect(() => mergeImatrices([legacy])).toThrow(
    expect.objectContaining({ code: 'imatrix-chunk-size-unknown', file: 'old' }),
  );
});

test.each<[string, Entries]>([
  ['another width', { w: [[1, 2, 3], [512]] }],
  [
    'as many sums for another number of experts',
    {
      w: [
        [1, 2, 3, 4, 5, 6],
        [1, 2, 3],
      ],
    },
  ],
])('%s is another model', (_, entries) => {
  const first = part('a', {
    w: [
      [1, 2, 3, 4, 5, 6],
      [1, 2],
    ],
  });
  expect(() => mergeImatrices([first, part('b', entries)])).toThrow(
    expect.objectContaining({ code: 'imatrix-other-model', file: 'b', tensor: 'w' }),
  );
});
