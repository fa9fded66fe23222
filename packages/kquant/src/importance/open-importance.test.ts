// Files that llama-imatrix would write of a measurement that broke.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dtypeByName } from '@quern/blocks';
import { type GgufMetadata, GgufWriter } from '@quern/gguf';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openImportance } from './open-importance.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'quern-importance-'));
});
afterAll(() => rm(dir, { recursive: true }));

const view = {
  path: 'm.gguf',
  metadata: new Map(),
  tensors: new Map(
    ['a.weight', 'b.weight'].map((name) => [
      name,
      { name, shape: [8, 4], rows: 8, cols: 4, dtype: dtypeByName('F32') },
    ]),
  ),
};

async function matrix(sums: number[], count: number): Promise<string> {
  const path = join(dir, 'imatrix.gguf');
  const metadata: GgufMetadata = new Map([
    ['general.type', { type: 'string', value: 'imatrix' }],
    ['imatrix.datasets', { type: 'array', of: 'string', value: ['text'] }],
    ['imatrix.chunk_count', { type: 'uint32', value: 1 }],
    ['imatrix.chunk_size', { type: 'uint32', value: 8 }],
  ]);
  const parts = [
    ['a.weight.in_sum2', [1, 2, 3, 4]],
    ['a.weight.counts', [8]],
    ['b.weight.in_sum2', sums],
    ['b.weight.counts', [count]],
  ] as const;
  const tensors = parts.map(([name, values]) => ({ name, dtype: dtypeByName('F32'), shape: [values.length] }));
  const writer = await GgufWriter.create(path, { metadata, tensors });
  for (const [name, values] of parts) await writer.write(name, new Uint8Array(Float32Array.from(values).buffer));
  await writer.finish();
  return path;
}

test.each<[string, number[], number, string]>([
  ['NaN', [1, Number.NaN, 3, 4], 8, 'imatrix-bad-sum'],
  ['infinity', [1, 2, 3, Infinity], 8, 'imatrix-bad-sum'],
  ['a negative sum', [-1, 2, 3, 4], 8, 'imatrix-bad-sum'],
  ['a count that is NaN', [1, 2, 3, 4], Number.NaN, 'imatrix-bad-count'],
  ['a negative count', [1, 2, 3, 4], -8, 'imatrix-bad-count'],
  ['half a row', [1, 2, 3, 4], 7.5, 'imatrix-bad-count'],
])('%s is found when the file is opened, with its tensor', async (_, sums, count, code) => {
  const path = await matrix(sums, count);
  await expect(openImportance(path, view)).rejects.toMatchObject({ code, tensor: 'b.weight', file: path });
});

test('a tensor that nothing reached counts every column the same; what is left out is not judged', async () => {
  const unreached = await openImportance(await matrix([0, 0, 0, 0], 0), view);
  expect(await unreached.importanceOf('b.weight')).toEqual({ values: Float32Array.of(1, 1, 1, 1), neverFired: [0] });
  await unreached.close();
  const chosen = await openImportance(await matrix([1, Number.NaN, 3, 4], 8), view, { exclude: ['b.'] });
  expect([...chosen.entries.keys()]).toEqual(['a.weight']);
  await chosen.close();
});
