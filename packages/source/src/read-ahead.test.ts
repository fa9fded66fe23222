import { expect, test } from 'vitest';
import { memorySource, readAhead, type Source } from './index.ts';

const size = 8 * 2 ** 20;
const bytes = Uint8Array.from({ length: size }, (_, i) => (i * 7 + (i >> 9)) & 0xff);

/** Notes the ranges that are read, as they begin; `fail` makes the next read fail. */
function watched() {
  const reads: [start: number, end: number][] = [];
  const state = { reads, fail: false };
  const inner = memorySource(bytes, 'far away');
  const source: Source = {
    ...inner,
    async read(offset, length) {
      reads.push([offset, offset + length]);
      if (state.fail) {
        state.fail = false;
        throw new Error('cut');
      }
      return inner.read(offset, length);
    },
  };
  const failNext = () => {
    state.fail = true;
  };
  return { reads, source, failNext };
}

const KiB = 1024;

test('small reads in order become few large ones, one of them ahead', async () => {
  const { source, reads } = watched();
  const ahead = readAhead(source, 2 ** 20);
  await ahead.read(0, 100);
  expect(reads).toEqual([
    [0, 256 * KiB],
    [256 * KiB, 768 * KiB],
  ]);
  for (let at = 100; at < size; at += 50_000) {
    const length = Math.min(50_000, size - at);
    expect(Buffer.compare(await ahead.read(at, length), bytes.subarray(at, at + length))).toBe(0);
  }
  // Gapless, doubled up to the limit, and not beyond the end.
  expect(reads.map(([start]) => start)).toEqual([0, ...reads.slice(0, -1).map(([, end]) => end)]);
  expect(reads.map(([start, end]) => end - start).slice(2, -1)).toEqual(Array(reads.length - 3).fill(2 ** 20));
  expect(reads.at(-1)![1]).toBe(size);
});

test('a jump begins small again; a read across windows is whole', async () => {
  const { source, reads } = watched();
  const ahead = readAhead(source);
  await ahead.read(0, 10);
  await ahead.read(5_000_000, 10);
  expect(reads[2]).toEqual([5_000_000, 5_000_000 + 256 * KiB]);
  const across = await ahead.read(5_000_000 + 200 * KiB, 2_000_000);
  expect(Buffer.compare(across, bytes.subarray(5_000_000 + 200 * KiB, 7_000_000 + 200 * KiB))).toBe(0);
});

test('a failed read is told to whoever needs it, and may be tried again', async () => {
  const { source, failNext } = watched();
  const ahead = readAhead(source);
  failNext();
  await expect(ahead.read(0, 10)).rejects.toThrow('cut');
  expect(await ahead.read(0, 10)).toEqual(bytes.slice(0, 10));
});
