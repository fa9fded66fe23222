import { dtypeByName } from '@quern/blocks';
import { contiguousTensor } from '@quern/checkpoint';
import { memorySource, type Source } from '@quern/source';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { permutedTensor } from './permuted-tensor.ts';

const f32 = dtypeByName('F32')!;

/** A matrix whose element [row, col] is `row + col / 100`, over a source that records the length of every read. */
function numberedTensor(shape: number[]) {
  const cols = shape.at(-1) ?? 1;
  const count = shape.reduce((product, size) => product * size, 1);
  const values = Float32Array.from({ length: count }, (_, i) =>
    shape.length === 1 ? i : Math.floor(i / cols) + (i % cols) / 100,
  );
  const memory = memorySource(new Uint8Array(values.buffer));
  const reads: number[] = [];
  const source: Source = {
    ...memory,
    readInto: (target, offset) => {
      reads.push(target.length);
      return memory.readInto(target, offset);
    },
  };
  return { reads, tensor: contiguousTensor({ name: 't', dtype: f32, shape, source, begin: 0 }) };
}

const firstColumn = async (tensor: ReturnType<typeof permutedTensor>, firstRow: number, rowCount: number) => {
  const bytes = new Uint8Array(rowCount * tensor.rowBytes);
  await tensor.readRows(firstRow, rowCount, bytes);
  return [...new Float32Array(bytes.buffer)].filter((_, i) => i % tensor.cols === 0);
};

describe('permutedTensor', () => {
  it('interleaves the halves of every head', async () => {
    const { tensor } = numberedTensor([8, 3]);
    expect(await firstColumn(permutedTensor(tensor, 2), 0, 8)).toEqual([0, 2, 1, 3, 4, 6, 5, 7]);
  });

  it('gives any range of rows as the whole would', async () => {
    const ranges = fc.integer({ min: 1, max: 4 }).chain((heads) =>
      fc.integer({ min: 1, max: 8 }).chain((half) => {
        const rows = heads * half * 2;
        return fc.record({
          heads: fc.constant(heads),
          half: fc.constant(half),
          range: fc.tuple(fc.nat(rows), fc.nat(rows)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const),
        });
      }),
    );
    await fc.assert(
      fc.asyncProperty(ranges, async ({ heads, half, range: [from, to] }) => {
        const { tensor, reads } = numberedTensor([heads * half * 2, 2]);
        // reshape(heads, 2, half).swapaxes(1, 2).reshape(-1), written out.
        const order: number[] = [];
        for (let head = 0; head < heads; head++)
          for (let pair = 0; pair < half; pair++)
            for (let side = 0; side < 2; side++) order.push((head * 2 + side) * half + pair);
        expect(await firstColumn(permutedTensor(tensor, heads), from, to - from)).toEqual(order.slice(from, to));
        expect(Math.max(0, ...reads)).toBeLessThanOrEqual(half * tensor.rowBytes);
      }),
    );
  });

  it('reorders a bias by element', async () => {
    const { tensor } = numberedTensor([8]);
    const bytes = new Uint8Array(32);
    await permutedTensor(tensor, 2).readRows(0, 1, bytes);
    expect([...new Float32Array(bytes.buffer)]).toEqual([0, 2, 1, 3, 4, 6, 5, 7]);
  });

  it('refuses rows that do not exist', async () => {
    const { tensor } = numberedTensor([8, 3]);
    await expect(permutedTensor(tensor, 2).readRows(6, 3, new Uint8Array(36))).rejects.toMatchObject({
      code: 'rows-out-of-range',
      tensor: 't',
    });
  });
});
