import { dtypeByName } from '@quern/blocks';
import { contiguousTensor } from '@quern/checkpoint';
import { memorySource } from '@quern/source';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { permutedTensor } from '../lens/permuted-tensor.ts';
import { shortestFloat } from './shortest-float.ts';
import { unpermutedTensor } from './unpermuted-tensor.ts';

function numbered(shape: number[]) {
  const values = Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, (_, i) => i);
  const source = memorySource(new Uint8Array(values.buffer));
  return contiguousTensor({ name: 't', dtype: dtypeByName('F32')!, shape, source, begin: 0 });
}

test('the order of the way there, undone: any rows of matrices and vectors', async () => {
  const cases = fc.record({
    heads: fc.integer({ min: 1, max: 4 }),
    half: fc.integer({ min: 1, max: 6 }),
    cols: fc.constantFrom(0, 1, 3),
    from: fc.nat(48),
    count: fc.nat(48),
  });
  await fc.assert(
    fc.asyncProperty(cases, async ({ heads, half, cols, from, count }) => {
      const rows = heads * half * 2;
      const tensor = numbered(cols === 0 ? [rows] : [rows, cols]);
      const there = unpermutedTensor(permutedTensor(tensor, heads), heads);
      const first = cols === 0 ? 0 : from % (rows + 1);
      const some = cols === 0 ? 1 : Math.min(count, rows - first);
      const [ours, wanted] = [new Uint8Array(some * tensor.rowBytes), new Uint8Array(some * tensor.rowBytes)];
      await there.readRows(first, some, ours);
      await tensor.readRows(first, some, wanted);
      expect(ours).toEqual(wanted);
    }),
  );
});

test('one head of four rows, by hand', async () => {
  const bytes = new Uint8Array(4 * 4);
  await unpermutedTensor(numbered([4, 1]), 1).readRows(0, 4, bytes);
  expect([...new Float32Array(bytes.buffer)]).toEqual([0, 2, 1, 3]);
});

test('the shortest decimal of a float32 is that float32', () => {
  expect([1e-5, 1e-6, 10000, 0.1, 500000, 1.2345678].map((value) => shortestFloat(Math.fround(value)))).toEqual([
    1e-5, 1e-6, 10000, 0.1, 500000, 1.2345678,
  ]);
  fc.assert(
    fc.property(fc.float({ noNaN: true }), (value) => {
      expect(Math.fround(shortestFloat(value)) === value).toBe(true);
    }),
  );
});
