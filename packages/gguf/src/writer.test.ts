import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dtypeByName } from '@quern/blocks';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type GgufMetadata, type GgufTensorPlan, type GgufValue, GgufWriter, layoutGguf, openGguf } from './index.ts';
import { WrittenRanges } from './written-ranges.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'quern-gguf-'));
});
afterAll(() => rm(dir, { recursive: true }));

const f32 = dtypeByName('F32');
const plan = (name: string, ...shape: number[]): GgufTensorPlan => ({ name, dtype: f32, shape });

test.each(['tiny-llama/expected/llama.cpp-bf16.gguf', 'arch/llama-spm/llama.cpp-q8_0.gguf'])(
  '%s, written in scrambled pieces, comes out byte for byte',
  async (name) => {
    const original = fileURLToPath(new URL(`../../../test/models/${name}`, import.meta.url));
    const model = await openGguf(original);
    const tensors = [...model.tensors.values()];
    const writer = await GgufWriter.create(join(dir, name.replaceAll('/', '-')), { metadata: model.metadata, tensors });
    expect(writer.fileBytes).toBe((await stat(original)).size);
    const pieces = tensors.flatMap((tensor) =>
      Array.from({ length: Math.ceil(tensor.byteLength / 50_000) }, (_, i) => ({ tensor, at: i * 50_000 })),
    );
    pieces.sort((a, b) => ((a.at * 7919) % 101) - ((b.at * 7919) % 101) || (a.tensor.name < b.tensor.name ? 1 : -1));
    await Promise.all(
      pieces.map(async ({ tensor, at }) => {
        const bytes = await tensor.source.read(tensor.offset + at, Math.min(50_000, tensor.byteLength - at));
        await writer.write(tensor.name, bytes, at);
      }),
    );
    expect(existsSync(writer.path)).toBe(false);
    await writer.finish();
    expect((await readFile(writer.path)).equals(await readFile(original))).toBe(true);
    await model.close();
  },
);

test('refuses to finish a file with a byte missing, and abort leaves nothing', async () => {
  const path = join(dir, 'incomplete.gguf');
  const writer = await GgufWriter.create(path, { metadata: new Map(), tensors: [plan('a', 2), plan('b', 2)] });
  await writer.write('a', new Uint8Array(8));
  await writer.write('b', new Uint8Array(4));
  await writer.write('b', new Uint8Array(3), 5);
  await expect(writer.finish()).rejects.toMatchObject({ code: 'gguf-incomplete', file: path, tensor: 'b' });
  expect(existsSync(path)).toBe(false);
  await writer.abort();
  expect((await readdir(dir)).filter((name) => name.startsWith('incomplete'))).toEqual([]);
});

test('refuses bytes that belong nowhere', async () => {
  const tensors = [plan('a', 2), plan('b', 2)];
  const writer = await GgufWriter.create(join(dir, 'nowhere.gguf'), { metadata: new Map(), tensors });
  await expect(writer.write('c', new Uint8Array(8))).rejects.toMatchObject({
    code: 'gguf-unknown-tensor',
    tensor: 'c',
  });
  for (const [length, offset] of [
    [9, 0],
    [8, 1],
    [1, -1],
    [1, 0.5],
  ] as const) {
    await expect(writer.write('a', new Uint8Array(length), offset)).rejects.toMatchObject({
      code: 'gguf-write-out-of-range',
      tensor: 'a',
    });
  }
  await writer.abort();
});

test('a disk that cannot hold the file is known before any work is done', async () => {
  const contents = { metadata: new Map(), tensors: [plan('a', 2 ** 20, 2 ** 29)] };
  await expect(GgufWriter.create(join(dir, 'huge.gguf'), contents)).rejects.toMatchObject({ code: 'disk-full' });
  expect(existsSync(join(dir, 'huge.gguf.partial'))).toBe(false);
});

const meta = (key: string, value: unknown): GgufMetadata => new Map([[key, value as GgufValue]]);
test.each<[string, GgufMetadata, GgufTensorPlan[]]>([
  ['gguf-duplicate-tensor', new Map(), [plan('a', 1), plan('a', 1)]],
  ['gguf-unknown-type', new Map(), [{ name: 'a', dtype: dtypeByName('U8'), shape: [1] }]],
  ['gguf-too-many-dims', new Map(), [plan('a', 1, 1, 1, 1, 1)]],
  ['gguf-partial-block', new Map(), [{ name: 'a', dtype: dtypeByName('Q4_K'), shape: [2, 128] }]],
  ['gguf-shape-overflow', new Map(), [plan('a', 2 ** 52, 2)]],
  ['gguf-shape-overflow', new Map(), [plan('a', -1)]],
  ['gguf-name-too-long', new Map(), [plan('ä'.repeat(32), 1)]],
  ['gguf-name-too-long', meta('k'.repeat(65536), { type: 'bool', value: true }), []],
  ['gguf-empty-key', meta('', { type: 'bool', value: true }), []],
  ['gguf-bad-alignment', meta('general.alignment', { type: 'uint32', value: 33 }), []],
  ['gguf-bad-value', meta('k', { type: 'uint8', value: 256 }), []],
  ['gguf-bad-value', meta('k', { type: 'int8', value: -129 }), []],
  ['gguf-bad-value', meta('k', { type: 'uint32', value: 1.5 }), []],
  ['gguf-bad-value', meta('k', { type: 'uint32', value: 1n }), []],
  ['gguf-bad-value', meta('k', { type: 'uint64', value: 1 }), []],
  ['gguf-bad-value', meta('k', { type: 'uint64', value: -1n }), []],
  ['gguf-bad-value', meta('k', { type: 'int64', value: 2n ** 63n }), []],
  ['gguf-bad-value', meta('k', { type: 'float32', value: '1' }), []],
  ['gguf-bad-value', meta('k', { type: 'bool', value: 1 }), []],
  ['gguf-bad-value', meta('k', { type: 'string', value: 1 }), []],
  ['gguf-bad-value', meta('k', { type: 'string', value: 'lone \ud800' }), []],
  ['gguf-bad-value', meta('k', { type: 'array', of: 'int32', value: [1, 2 ** 31] }), []],
  ['gguf-bad-value', meta('k', { type: 'array', of: 'array', value: [{ type: 'bool', value: true }] }), []],
])('%s: what a file cannot say is not written (%#)', (code, metadata, tensors) => {
  expect(() => layoutGguf(metadata, tensors)).toThrow(expect.objectContaining({ code }));
});

test('written ranges know exactly when all is covered', () => {
  const range = fc.tuple(fc.nat(20), fc.nat(20)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
  fc.assert(
    fc.property(fc.array(range), (list) => {
      const ranges = new WrittenRanges();
      const marks = new Array<boolean>(20).fill(false);
      for (const [begin, end] of list) {
        ranges.add(begin, end);
        marks.fill(true, begin, end);
      }
      expect(ranges.covers(20)).toBe(marks.every(Boolean));
    }),
  );
});
