import { expect, test } from 'vitest';
import { checkEntry, importanceOf, sortedEntries } from './importance-matrix.ts';

const matrix = (sums: number[], counts: number[]) => ({
  datasets: [],
  chunkCount: 1,
  chunkSize: 512,
  entries: new Map([['w', { sums: Float32Array.from(sums), counts: Float32Array.from(counts) }]]),
});

test('importance is the mean of the squares', () => {
  const { values, neverFired } = importanceOf(matrix([4, 9, 0], [4]), 'w')!;
  expect([...values]).toEqual([1, 2.25, 0]);
  expect(neverFired).toEqual([]);
  expect(importanceOf(matrix([4], [4]), 'v')).toBeUndefined();
});

test('an expert that never fired counts every column alike, and is named', () => {
  const { values, neverFired } = importanceOf(matrix([8, 2, 0, 0, 3, 6], [2, 0, 3]), 'w')!;
  expect([...values]).toEqual([4, 1, 1, 1, 1, 2]);
  expect(neverFired).toEqual([1]);
});

test('all counts zero is like no importance at all', () => {
  expect(importanceOf(matrix([0, 0], [0]), 'w')).toEqual({ values: Float32Array.of(1, 1), neverFired: [0] });
});

test.each<[string, number[], number[]]>([
  ['imatrix-bad-shape', [1, 2, 3], [1, 1]],
  ['imatrix-bad-shape', [], [1]],
  ['imatrix-bad-shape', [1], []],
  ['imatrix-bad-count', [1], [-1]],
  ['imatrix-bad-count', [1], [1.5]],
  ['imatrix-bad-count', [1], [Number.NaN]],
  ['imatrix-bad-count', [1], [Number.POSITIVE_INFINITY]],
  ['imatrix-bad-sum', [1, Number.NaN], [1]],
  ['imatrix-bad-sum', [Number.POSITIVE_INFINITY, 1], [1]],
  ['imatrix-bad-sum', [-1, 1], [1]],
])('%s: %j over %j', (code, sums, counts) => {
  const entry = { sums: Float32Array.from(sums), counts: Float32Array.from(counts) };
  expect(() => checkEntry(entry, 'w', 'f')).toThrow(expect.objectContaining({ code, tensor: 'w', file: 'f' }));
});

test('names are in the order of their bytes, not of UTF-16 units or of their numbers', () => {
  const entry = { sums: Float32Array.of(1), counts: Float32Array.of(1) };
  const names = ['blk.2.w', '\u{10000}', 'blk.10.w', '\uffff', 'blk.1'];
  expect([...sortedEntries(names.map((name) => [name, entry])).keys()]).toEqual([
    'blk.1',
    'blk.10.w',
    'blk.2.w',
    '\uffff',
    '\u{10000}',
  ]);
});
