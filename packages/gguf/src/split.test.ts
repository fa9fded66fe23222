import { mkdtemp, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dtypeByName } from '@quern/blocks';
import { openFile } from '@quern/source';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type GgufMetadata, type GgufValue, GgufWriter, openGguf } from './index.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'quern-split-'));
});
afterEach(() => rm(dir, { recursive: true }));

const path = (no: number, count = 3): string => join(dir, `m-0000${no + 1}-of-0000${count}.gguf`);

/** One split as llama-gguf-split writes it, with some keys changed. */
async function writeSplit(
  no: number,
  names: string[],
  changes: Record<string, GgufValue | undefined> = {},
): Promise<void> {
  const entries: Record<string, GgufValue | undefined> = {
    ...(no === 0 ? { 'general.architecture': { type: 'string', value: 'llama' } } : {}),
    'split.no': { type: 'uint16', value: no },
    'split.count': { type: 'uint16', value: 3 },
    'split.tensors.count': { type: 'int32', value: 4 },
    ...changes,
  };
  const metadata: GgufMetadata = new Map();
  for (const [key, value] of Object.entries(entries)) if (value) metadata.set(key, value);
  const tensors = names.map((name) => ({ name, dtype: dtypeByName('F32'), shape: [2] }));
  const writer = await GgufWriter.create(path(no), { metadata, tensors });
  for (const name of names) await writer.write(name, new Uint8Array(8).fill(name.charCodeAt(0)));
  await writer.finish();
}
const writeAll = async (changes: Record<string, GgufValue | undefined>[] = []): Promise<void> => {
  await writeSplit(0, ['a', 'b'], changes[0]);
  await writeSplit(1, ['c'], changes[1]);
  await writeSplit(2, ['d'], changes[2]);
};

test.each([0, 1, 2])('opens the whole model from split %i', async (no) => {
  await writeAll();
  const model = await openGguf(path(no));
  expect([...model.tensors.keys()]).toEqual(['a', 'b', 'c', 'd']);
  expect(model.files).toEqual([path(0), path(1), path(2)]);
  expect([...model.metadata.keys()]).toEqual(['general.architecture']);
  const { source, offset } = model.tensors.get('d')!;
  expect((await source.read(offset, 1))[0]).toBe('d'.charCodeAt(0));
  await model.close();
});

test('splits that were joined with cat are called so, whatever the file is named', async () => {
  await writeAll();
  const whole = Buffer.concat(await Promise.all([0, 1, 2].map((no) => readFile(path(no)))));
  for (const name of [join(dir, 'joined.gguf'), path(0)]) {
    await writeFile(name, whole);
    await expect(openGguf(name)).rejects.toMatchObject({ code: 'gguf-splits-joined', file: name });
  }
});

test('a source needs a way to its siblings', async () => {
  await writeAll();
  const source = await openFile(path(1));
  await expect(openGguf(source)).rejects.toMatchObject({ code: 'gguf-split-unreachable' });
  const model = await openGguf(source, { openSibling: (name) => openFile(join(dir, name)) });
  expect(model.tensors.size).toBe(4);
  await model.close();
});

const u16 = (value: number): GgufValue => ({ type: 'uint16', value });
const i32 = (value: number): GgufValue => ({ type: 'int32', value });
const faults: [code: string, why: string, setUp: () => Promise<unknown>, file: number][] = [
  ['gguf-split-missing', 'a split is not there', () => writeAll().then(() => unlink(path(1))), 1],
  ['gguf-split-bad-metadata', 'number beyond the count', () => writeAll([{ 'split.no': u16(3) }]), 0],
  ['gguf-split-bad-metadata', 'no number', () => writeAll([{ 'split.no': undefined }]), 0],
  ['gguf-split-bad-metadata', 'negative', () => writeAll([{ 'split.tensors.count': i32(-1) }]), 0],
  ['gguf-split-bad-metadata', 'absurd count', () => writeAll([{ 'split.count': i32(1e8) }]), 0],
  ['gguf-split-bad-metadata', 'text', () => writeAll([{ 'split.count': { type: 'string', value: '3' } }]), 0],
  ['gguf-split-mismatch', 'a whole file among the splits', () => writeAll([{}, { 'split.count': undefined }]), 1],
  ['gguf-split-mismatch', 'wrong number', () => writeAll([{}, { 'split.no': u16(2) }]), 1],
  ['gguf-split-mismatch', 'other count', () => writeAll([{}, { 'split.count': u16(4) }]), 1],
  ['gguf-split-mismatch', 'other model', () => writeAll([{}, {}, { 'split.tensors.count': i32(5) }]), 2],
  ['gguf-split-mismatch', 'tensor missing', () => writeAll(Array(3).fill({ 'split.tensors.count': i32(5) })), 0],
  ['gguf-duplicate-tensor', 'in two splits', () => writeAll().then(() => writeSplit(2, ['a'])), 2],
];
test.each(faults)('%s: %s', async (code, _, setUp, file) => {
  await setUp();
  await expect(openGguf(path(0))).rejects.toMatchObject({ code, file: path(file) });
});

test('a renamed split is refused, since its siblings cannot be found', async () => {
  await writeAll();
  await rename(path(0), join(dir, 'renamed.gguf'));
  await expect(openGguf(join(dir, 'renamed.gguf'))).rejects.toMatchObject({ code: 'gguf-split-bad-name' });
  await rename(path(1), path(0));
  await expect(openGguf(path(0))).rejects.toMatchObject({ code: 'gguf-split-bad-name' });
});
