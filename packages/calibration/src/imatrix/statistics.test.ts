// Values worked out by hand.
import { expect, test } from 'vitest';
import { imatrixStatistics } from './statistics.ts';

const statistics = (entries: Record<string, [sums: number[], counts: number[]]>) =>
  imatrixStatistics({
    entries: new Map(
      Object.entries(entries).map(([name, [sums, counts]]) => [
        name,
        { sums: Float32Array.from(sums), counts: Float32Array.from(counts) },
      ]),
    ),
  });

test('figures of the means', () => {
  const [figures] = statistics({ w: [[0, 8, 8, 16], [4]] });
  expect(figures).toMatchObject({ tensor: 'w', columns: 4, total: 8, min: 0, max: 4, mean: 2, active: 0.75, zd: 0.25 });
  expect(figures!.deviation).toBeCloseTo(Math.SQRT2, 12);
  expect(figures!.entropy).toBe(1.5); // p = 0, ¼, ¼, ½
  expect(figures!.entropyShare).toBe(0.75);
  expect(figures!.similarity).toBeUndefined();
});

test('columns that all matter alike have the largest entropy, and none stands out', () => {
  const [figures] = statistics({ w: [[3, 3, 3, 3], [1]] });
  expect(figures).toMatchObject({ entropy: 2, entropyShare: 1, deviation: 0, zd: 0 });
});

test('experts that never fired are left out, and all counts are shown', () => {
  const [figures, silent] = statistics({
    w: [
      [1, 1, 9, 9, 2, 2],
      [1, 0, 2],
    ],
    x: [[0, 0], [0]],
  });
  expect(figures).toMatchObject({ columns: 4, total: 4, counts: [1, 0, 2] });
  expect(silent).toMatchObject({ columns: 0, total: 0, entropy: 0, counts: [0] });
});

test('similarity compares with the block before', () => {
  const all = statistics({
    'blk.9.w': [[1, 0], [1]],
    'blk.10.w': [[1, 1], [1]],
    'blk.11.w': [[0, 0], [1]],
    'blk.12.w': [[1], [1]],
  });
  expect(all.map(({ similarity }) => similarity)).toEqual([undefined, expect.closeTo(Math.SQRT1_2, 12), 0, undefined]);
});
