// Whole numbers of 64 bits in a checkpoint, of 32 in GGUF; what is out of range is refused when it is read.
import { dtypeByName } from '@quern/blocks';
import type { TensorView } from '@quern/checkpoint';
import { expect, it } from 'vitest';
import { placeWith } from '../testing/change-of-numbers.ts';
import { wholeNumbersBelow } from './whole-numbers.ts';

const place = placeWith({ experts: 8 });
const change = wholeNumbersBelow(({ sizes }) => sizes.experts!);

function table(numbers: readonly bigint[]): TensorView {
  const data = new Uint8Array(BigInt64Array.from(numbers).buffer);
  const [rows, cols, rowBytes] = [numbers.length / 2, 2, 16];
  return {
    ...{ name: 'table', dtype: dtypeByName('I64')!, shape: [rows, cols], rows, cols, rowBytes, file: 'f', offset: 0 },
    readRows: async (first, count, into) => into.set(data.subarray(first * rowBytes, (first + count) * rowBytes)),
  };
}

async function rowsOf(tensor: TensorView, first: number, count: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(count * tensor.rowBytes);
  await tensor.readRows(first, count, bytes);
  return bytes;
}

it('become I32, and I64 again', async () => {
  const stored = table([0n, 7n, 3n, 1n, 5n, 2n]);
  const narrow = change.toGguf(stored, place, stored.shape);
  expect([narrow.dtype.name, narrow.shape]).toEqual(['I32', [3, 2]]);
  expect([...new Int32Array((await rowsOf(narrow, 1, 2)).buffer)]).toEqual([3, 1, 5, 2]);
  const back = change.toCheckpoint(narrow, place, stored.shape);
  expect(back.dtype.name).toBe('I64');
  expect(await rowsOf(back, 0, 3)).toEqual(await rowsOf(stored, 0, 3));
});

it.each([8n, -1n, 2n ** 40n])('%d of 8 things is refused', async (number) => {
  const narrow = change.toGguf(table([0n, 1n, number, 2n]), place, [2, 2]);
  await expect(rowsOf(narrow, 0, 2)).rejects.toMatchObject({ code: 'tensor-number-out-of-range', tensor: 'table' });
});
