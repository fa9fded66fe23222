import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dtypeByName } from '@quern/blocks';
import { openFile } from '@quern/source';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { indexedFiles, openIndexed, openParts, writeSafetensors } from './index.ts';

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
const indexName = 'model.safetensors.index.json';
const index = (text: string): Promise<void> => writeFile(join(dir, indexName), text);
const weightMap = (map: Record<string, string>): Promise<void> =>
  index(JSON.stringify({ metadata: { total_size: 16, nested: [1, { a: null }] }, weight_map: map }));

test('joins the shards of an index', async () => {
  await shard(first, 'a', 'b');
  await shard(second, 'c');
  await weightMap({ c: second, a: first, b: first });
  const model = await openIndexed(dir, indexName);
  expect([...model.tensors.keys()]).toEqual(['a', 'b', 'c']);
  expect(model.tensors.get('c')!.source.name).toBe(join(dir, second));
  expect(model.files).toEqual([join(dir, first), join(dir, second)]);
  expect(model.metadata.get('format')).toBe('pt');
  await model.close();
});

test('an index may call its files anything, and be of Python: NaN, a byte order mark', async () => {
  await shard(first, 'a');
  await shard('mtp.safetensors', 'c');
  await index(
    `\ufeff{"metadata": {"loss": NaN, "low": [-Infinity, Infinity]}, "weight_map": {"c": "mtp.safetensors", "a": "${first}"}}`,
  );
  const source = await openFile(join(dir, indexName));
  expect(await indexedFiles(source)).toEqual([first, 'mtp.safetensors']);
  await source.close();
  const model = await openIndexed(dir, indexName);
  expect([...model.tensors.keys()]).toEqual(['a', 'c']);
  await model.close();
});

test('all files that are missing are told', async () => {
  await shard(first, 'a');
  await weightMap({ a: first, b: second, c: 'rest.safetensors' });
  const error = await openIndexed(dir, indexName).catch((caught) => caught);
  expect(error).toMatchObject({ code: 'safetensors-shard-missing', file: dir });
  expect(error.message).toBe(`2 files are missing: ${second}, rest.safetensors (of 3 that belong to these weights).`);
});

test('files without an index are one model when no tensor is in two', async () => {
  await shard('a.safetensors', 'a', 'b');
  await shard('z.safetensors', 'c');
  const model = await openParts(dir, ['a.safetensors', 'z.safetensors']);
  expect([...model.tensors.keys()]).toEqual(['a', 'b', 'c']);
  await model.close();
  await shard('z.safetensors', 'b');
  await expect(openParts(dir, ['a.safetensors', 'z.safetensors'])).rejects.toMatchObject({
    code: 'safetensors-tensor-in-two-shards',
    tensor: 'b',
  });
});

test('shards that were joined with cat are called so', async () => {
  await shard(first, 'a', 'b');
  await shard(second, 'c');
  const both = await Promise.all([first, second].map((name) => readFile(join(dir, name))));
  await writeFile(join(dir, 'model.safetensors'), Buffer.concat(both));
  await expect(openParts(dir, ['model.safetensors'])).rejects.toMatchObject({
    code: 'safetensors-joined',
    offset: both[0]!.length,
  });
  await writeFile(join(dir, 'model.safetensors'), Buffer.concat([both[0]!, Buffer.alloc(64, 1)]));
  await expect(openParts(dir, ['model.safetensors'])).rejects.toMatchObject({ code: 'safetensors-trailing-data' });
});

// What save_model of safetensors.torch writes for weights that share memory.
test('a tensor that is stored once has both of its names', async () => {
  const data = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]);
  await writeSafetensors(
    join(dir, first),
    [{ name: 'lm_head.weight', dtype: dtypeByName('F32'), shape: [2], data: [data] }],
    new Map([
      ['format', 'pt'],
      ['model.embed_tokens.weight', 'lm_head.weight'],
      ['other', 'absent'],
    ]),
  );
  await shard(second, 'other');
  for (const open of [() => openParts(dir, [first, second]), () => openIndexed(dir, indexName)]) {
    await weightMap({ 'lm_head.weight': first, other: second });
    const model = await open();
    expect([...model.tensors.keys()]).toEqual(['lm_head.weight', 'other', 'model.embed_tokens.weight']);
    const alias = model.tensors.get('model.embed_tokens.weight')!;
    expect(alias).toMatchObject({ name: 'model.embed_tokens.weight', aliasOf: 'lm_head.weight', shape: [2] });
    expect(await alias.source.read(alias.begin, 8)).toEqual(data);
    await model.close();
  }
});

const faults: [code: string, setUp: () => Promise<unknown>, place?: { tensor?: string }][] = [
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
  ['safetensors-bad-index', () => writeFile(join(dir, indexName), Uint8Array.of(0x7b, 0xff))],
  ['safetensors-truncated', () => Promise.all([writeFile(join(dir, first), ''), weightMap({ a: first })])],
];
test.each(faults)('%s (%#)', async (code, setUp, place = {}) => {
  await shard(first, 'a', 'b');
  await setUp();
  await expect(openIndexed(dir, indexName)).rejects.toMatchObject({
    code,
    file: expect.stringContaining(dir),
    ...place,
  });
});
