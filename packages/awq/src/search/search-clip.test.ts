// The clip search against its definition, computed from products of inputs and weights in f64.
import { cpuDevice, type Device } from '@quern/runtime';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { pseudoQuantize } from '../grid/grid.ts';
import { applyClip, searchClip } from './search-clip.ts';

const [rows, cols, samples] = [6, 64, 40];
const grid = { bits: 4, groupSize: 32, symmetric: false, leastZero: 0 };
let device: Device;
beforeAll(async () => {
  device = await cpuDevice({ threads: 1 });
});
afterAll(() => device?.dispose());

const noise = (i: number): number => Math.sin(78.233 * (i + 1)) * Math.sin(3.7 * i);
// A few weights stand out, so that clipping pays.
const weights = Float32Array.from({ length: rows * cols }, (_, i) => noise(i) * (i % 29 === 0 ? 4 : 1));
const sample = Array.from({ length: samples }, (_, t) =>
  Float32Array.from({ length: cols }, (_, c) => noise(1000 + t * cols + c)),
);

/** Mean squared error of one group of one row when its largest magnitude is lowered to `limit`. */
function errorAt(row: number, group: number, limit: number): number {
  const from = row * cols + group * grid.groupSize;
  const own = weights.slice(from, from + grid.groupSize);
  const clipped = own.map((w) => Math.max(-limit, Math.min(limit, w)));
  pseudoQuantize(clipped, grid);
  const errors = sample.map((x) =>
    clipped.reduce((sum, w, i) => sum + (w - own[i]!) * x[group * grid.groupSize + i]!, 0),
  );
  return errors.reduce((sum, error) => sum + error * error, 0) / samples;
}

it('finds the step with the least error in every group', async () => {
  const { limits, error, unclippedError } = await searchClip(device, { weights, cols, sample, grid });
  let clipped = 0;
  let total = 0;
  for (let row = 0; row < rows; row++)
    for (let group = 0; group < cols / grid.groupSize; group++) {
      const from = row * cols + group * grid.groupSize;
      const largest = Math.max(...weights.subarray(from, from + grid.groupSize).map(Math.abs));
      const tried = Array.from({ length: 10 }, (_, i) => errorAt(row, group, Math.fround(largest * (1 - i / 20))));
      const limit = limits[row * (cols / grid.groupSize) + group]!;
      expect(errorAt(row, group, limit)).toBeLessThanOrEqual(Math.min(...tried) * (1 + 1e-4));
      if (limit < largest) clipped++;
      total += Math.min(...tried);
    }
  expect(clipped).toBeGreaterThan(3);
  expect(error).toBeCloseTo(total, 6);
  expect(error).toBeLessThan(unclippedError);
});

it('clips in place, group by group', () => {
  const values = Float32Array.of(1, -3, 2, -0.5);
  applyClip(values, Float32Array.of(2, 1), 2);
  expect([...values]).toEqual([1, -2, 1, -0.5]);
});
