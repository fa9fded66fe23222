import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dtypeByName } from '@quern/blocks';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSharded, writeSafetensors } from './index.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'quern-shards-'));
});
afterEach(() => rm(dir, { recursive: true }));

const first = 'model-00001-of-00002.safetensors';
const second = 'model-00002-of-00002.safetensors';
const shard = (name: string, ...tensors: string[]): Promise<void> =>
  writeSafetensors(
    join(dir, name),
    tensors.map((t) => ({ name: t, dtype: dtypeByName('F32'), shape: [2], data: [new Uint8Array(8)] })),
    new Map([['format', 'pt']]),
  );
const index = (text: string): Promise<void> => writeFile(join(dir, 'model.safetensors.index.json'), text);
const weightMap = (map: Record<string, string>): Promise<void> =>
  index(JSON.stringify({ metadata: { total_size: 16, nested: [1, { a: null }] }, weight_map: map }));

test('joins the shards of an index', async () => {
  await shard(first, 'a', 'b');
  await shard(second, 'c');
  await weightMap({ c: second, a: first, b: first });
  const model = await openSharded(dir);
  expect([...model.tensors.keys()]).toEqual(['a', 'b', 'c']);
  expect(model.tensors.get('c')!.source.name).toBe(join(dir, second));
  expect(model.files).toEqual([join(dir, first), join(dir, second)]);
  expect(model.metadata.get('format')).toBe('pt');
  await model.close();
});

test('model.safetensors comes first', async () => {
  await shard('model.safetensors', 'whole');
  await weightMap({ a: first });
  const model = await openSharded(dir);
  expect([...model.tensors.keys()]).toEqual(['whole']);
  await model.close();
});

const faults: [code: string, setUp: () => Promise<unknown>, place?: { tensor?: string }][] = [
  ['safetensors-no-weights', async () => {}],
  ['safetensors-shard-missing', () => weightMap({ a: first, c: second })],
  ['safetensors-tensor-not-in-shard', () => weightMap({ a: first, b: first, x: first }), { tensor: 'x' }],
  [
    'safetensors-tensor-not-in-shard',
    async () => {
      await shard(second, 'c');
      await weightMap({ a: first, b: second, c: second });
    },
    { tensor: 'b' },
  ],
  ['safetensors-tensor-not-in-index', () => weightMap({ a: first }), { tensor: 'b' }],
  [
    'safetensors-tensor-in-two-shards',
    async () => {
      await shard(second, 'b', 'c');
      await weightMap({ a: first, b: first, c: second });
    },
    { tensor: 'b' },
  ],
  ...['../other.safetensors', '/etc/passwd', 'a/b', 'a\\b', '..', '.', '', 'C:x', 'nul\0byte'].map(
    (name): [string, () => Promise<unknown>, { tensor: string }] => [
      'safetensors-bad-shard-name',
      () => weightMap({ a: name }),
      { tensor: 'a' },
    ],
  ),
  ['safetensors-bad-index', () => index('{"weight_map": {"a": 1}}')],
  ['safetensors-bad-index', () => index('{"weight_map": {"a": "x", "a": "y"}}')],
  ['safetensors-bad-index', () => index('{"weight_map": {}}')],
  ['safetensors-bad-index', () => index('{}')],
  ['safetensors-bad-index', () => index('')],
  ['safetensors-bad-index', () => index(`{"metadata": ${'['.repeat(100_000)}`)],
  ['safetensors-bad-index', () => writeFile(join(dir, 'model.safetensors.index.json'), Uint8Array.of(0x7b, 0xff))],
  ['safetensors-truncated', () => Promise.all([writeFile(join(dir, first), ''), weightMap({ a: first })])],
];
test.each(faults)('%s (%#)', async (code, setUp, place = {}) => {
  if (code !== 'safetensors-no-weights') await shard(first, 'a', 'b');
  await setUp();
  await expect(openSharded(dir)).rejects.toMatchObject({ code, file: expect.stringContaining(dir), ...place });
});
