// Folders are read back by the house's own safetensors reader, which is held to the reference elsewhere.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openIndexed, openParts } from '@quern/safetensors';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { HfTensorSpec } from './hf-folder.ts';
import { openHfWriter, writeHfCheckpoint } from './index.ts';
import { bytesOf, dtype, folderOf, madeTensor, packedLayers, sizeOf } from './testing/made-tensors.ts';

let root: string;
let dir: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'quern-hf-writer-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));
beforeEach(() => {
  dir = join(mkdtempSync(join(root, 'case-')), 'out');
});

const filesOf = (folder: string) => readdirSync(folder).sort();
const partial = () => `${dir}.partial`;

/** Every tensor holds the bytes that its name gives, and no other tensor is there. */
async function expectTensors(folder: string, specs: readonly HfTensorSpec[]): Promise<void> {
  const index = 'model.safetensors.index.json';
  const sharded = existsSync(join(folder, index));
  const file = await (sharded ? openIndexed(folder, index) : openParts(folder, ['model.safetensors']));
  expect([...file.tensors.keys()].sort()).toEqual(specs.map(({ name }) => name).sort());
  for (const spec of specs) {
    const tensor = file.tensors.get(spec.name)!;
    expect(tensor.shape).toEqual(spec.shape);
    expect(tensor.dtype).toBe(spec.dtype);
    const bytes = await tensor.source.read(tensor.begin, tensor.end - tensor.begin);
    expect(Buffer.compare(bytes, bytesOf(spec)), spec.name).toBe(0);
  }
  await file.close();
}

describe('a folder', () => {
  test('of one file has no index', async () => {
    const specs = packedLayers(3);
    const written = await writeHfCheckpoint(dir, folderOf(specs.map(madeTensor)));
    expect(filesOf(dir)).toEqual(['config.json', 'model.safetensors', 'tokenizer.json']);
    expect(written.files).toEqual(['model.safetensors', 'tokenizer.json', 'config.json']);
    expect(written.bytes).toBe(filesOf(dir).reduce((sum, name) => sum + readFileSync(join(dir, name)).length, 0));
    await expectTensors(dir, specs);
    expect(existsSync(partial()) || existsSync(`${partial()}.journal`)).toBe(false);
  });

  test('of several is filled in order, with an index of names and the size of all tensors', async () => {
    const specs = packedLayers(5);
    const layerBytes = specs.slice(0, 4).reduce((sum, spec) => sum + sizeOf(spec), 0);
    await writeHfCheckpoint(dir, folderOf(specs.map(madeTensor)), { maxShardBytes: 2 * layerBytes });
    const index = JSON.parse(readFileSync(join(dir, 'model.safetensors.index.json'), 'utf8'));
    expect(index.metadata).toEqual({ total_size: 5 * layerBytes });
    const shardOf = (layer: number) => `model-0000${(layer >> 1) + 1}-of-00003.safetensors`;
    const expected = specs.map(({ name }): [string, string] => [name, shardOf(Number(name.split('.')[2]))]);
    expect(index.weight_map).toEqual(Object.fromEntries(expected));
    await expectTensors(dir, specs);
  });

  test('a tensor larger than a file gets one of its own', async () => {
    const specs = [
      { name: 'small.0', dtype: dtype('F16'), shape: [4] },
      { name: 'large', dtype: dtype('F16'), shape: [100] },
      { name: 'small.1', dtype: dtype('F16'), shape: [4] },
      { name: 'empty', dtype: dtype('F16'), shape: [0, 4] },
    ];
    await writeHfCheckpoint(dir, folderOf(specs.map(madeTensor)), { maxShardBytes: 50 });
    expect(filesOf(dir).filter((name) => name.endsWith('.safetensors'))).toHaveLength(3);
    await expectTensors(dir, specs);
  });

  test('writes floats of config.json as Python wants them', async () => {
    await writeHfCheckpoint(dir, folderOf(packedLayers(1).map(madeTensor)));
    const text = readFileSync(join(dir, 'config.json'), 'utf8');
    expect(text).toContain('"rope_theta": 10000.0,');
    expect(text).toContain('"factor": 8.0\n');
    expect(text).toContain('"hidden_size": 128\n');
  });
});

describe('layer by layer', () => {
  const specs = packedLayers(6);
  const options = { maxShardBytes: 6000, settings: { group: 128 } };

  test('what was committed is there in the next run, what was not is written again', async () => {
    const first = await openHfWriter(dir, folderOf(specs), options);
    for (const spec of specs.slice(0, 8)) await first.write(spec.name, bytesOf(spec));
    await first.commit();
    // Half of a tensor, and no commit: a kill comes here.
    await first.write(specs[8]!.name, bytesOf(specs[8]!).subarray(0, 10));

    const second = await openHfWriter(dir, folderOf(specs), options);
    expect([...second.finished].sort()).toEqual(
      specs
        .slice(0, 8)
        .map(({ name }) => name)
        .sort(),
    );
    for (const spec of specs.slice(8)) await second.write(spec.name, bytesOf(spec));
    expect(await second.finish()).toMatchObject({ resumedTensors: 8 });
    await expectTensors(dir, specs);
    await first.suspend();
  });

  test('other settings are refused, and named', async () => {
    const first = await openHfWriter(dir, folderOf(specs), options);
    await first.suspend();
    await expect(openHfWriter(dir, folderOf(specs), { ...options, settings: { group: 32 } })).rejects.toMatchObject({
      code: 'refused-other-settings',
      message: expect.stringContaining('group was 128, is 32'),
    });
    const [text, other] = ['0123456789abcdef', 'fedcba9876543210'];
    const hashed = await openHfWriter(`${dir}-hashed`, folderOf(specs), { ...options, settings: { text: text! } });
    await hashed.suspend();
    const again = openHfWriter(`${dir}-hashed`, folderOf(specs), { ...options, settings: { text: other! } });
    await expect(again).rejects.toMatchObject({ message: expect.stringContaining('(another text)') });
    await expect(openHfWriter(dir, folderOf(specs.slice(4)), options)).rejects.toMatchObject({
      code: 'refused-other-settings',
    });
    const notes: string[] = [];
    const third = await openHfWriter(dir, folderOf(specs.slice(4)), {
      ...options,
      force: true,
      onNote: (note) => notes.push(note),
    });
    expect(notes).toEqual([expect.stringMatching(/^Discarding /)]);
    await third.abort();
    expect(existsSync(partial())).toBe(false);
  });

  test('a folder is not finished while bytes are missing', async () => {
    const writer = await openHfWriter(dir, folderOf(specs), options);
    for (const spec of specs.slice(0, -1)) await writer.write(spec.name, bytesOf(spec));
    await expect(writer.finish()).rejects.toMatchObject({ code: 'hf-incomplete', tensor: specs.at(-1)!.name });
    expect(existsSync(dir)).toBe(false);
    await writer.write(specs.at(-1)!.name, bytesOf(specs.at(-1)!));
    await writer.finish();
    await expectTensors(dir, specs);
  });

  test('bytes beyond a tensor, and tensors nobody announced, are refused', async () => {
    const writer = await openHfWriter(dir, folderOf(specs), options);
    const [spec] = specs as [HfTensorSpec];
    await expect(writer.write('other', new Uint8Array(1))).rejects.toMatchObject({ code: 'hf-unknown-tensor' });
    await expect(writer.write(spec.name, new Uint8Array(sizeOf(spec) + 1))).rejects.toMatchObject({
      code: 'hf-wrong-length',
    });
    await writer.write(spec.name, bytesOf(spec));
    await expect(writer.write(spec.name, new Uint8Array(1))).rejects.toMatchObject({ code: 'hf-wrong-length' });
    await writer.abort();
  });
});

describe('an output that is there', () => {
  const tensors = packedLayers(1).map(madeTensor);

  test('is replaced with force only, and only when it is a checkpoint', async () => {
    mkdirSync(dir);
    writeFileSync(join(dir, 'config.json'), '{}');
    writeFileSync(join(dir, 'model-00007-of-00009.safetensors'), 'old');
    await expect(writeHfCheckpoint(dir, folderOf(tensors))).rejects.toMatchObject({ code: 'refused-output-exists' });
    await writeHfCheckpoint(dir, folderOf(tensors), { force: true });
    expect(filesOf(dir)).toEqual(['config.json', 'model.safetensors', 'tokenizer.json']);

    writeFileSync(join(dir, 'diary.txt'), 'mine');
    await expect(writeHfCheckpoint(dir, folderOf(tensors), { force: true })).rejects.toMatchObject({
      code: 'refused-output-exists',
      message: expect.stringContaining('diary.txt'),
    });
    expect(readFileSync(join(dir, 'diary.txt'), 'utf8')).toBe('mine');
  });

  test('an empty folder is filled; a file, or the input itself, is not', async () => {
    mkdirSync(dir);
    await writeHfCheckpoint(dir, folderOf(tensors));
    const inputs = [join(dir, 'model.safetensors')];
    await expect(writeHfCheckpoint(dir, folderOf(tensors), { force: true, inputs })).rejects.toMatchObject({
      code: 'refused-output-is-input',
    });
    const file = join(dir, 'config.json');
    await expect(writeHfCheckpoint(file, folderOf(tensors))).rejects.toMatchObject({ code: 'refused-output-exists' });
    const nowhere = join(dir, 'no', 'folder');
    await expect(writeHfCheckpoint(nowhere, folderOf(tensors))).rejects.toMatchObject({
      code: 'output-folder-missing',
    });
  });
});

test.each(['../up.json', 'config.json', 'model-00001-of-00002.safetensors'])('%s is no side file', async (name) => {
  const folder = { ...folderOf(packedLayers(1)), sideFiles: new Map([[name, '']]) };
  await expect(openHfWriter(dir, folder)).rejects.toMatchObject({ code: 'hf-bad-side-file' });
});

test('a failing tensor leaves a folder to go on with; a refusal leaves nothing', async () => {
  const { QuernError } = await import('@quern/errors');
  const failing = (error: Error) =>
    packedLayers(4).map((spec, i) => (i < 12 ? madeTensor(spec) : { ...spec, write: () => Promise.reject(error) }));
  await expect(writeHfCheckpoint(dir, folderOf(failing(new Error('torn cable'))))).rejects.toThrow('torn cable');
  expect(existsSync(partial())).toBe(true);
  const written = await writeHfCheckpoint(dir, folderOf(packedLayers(4).map(madeTensor)));
  expect(written.resumedTensors).toBeGreaterThan(0);
  rmSync(dir, { recursive: true });
  const refusal = new QuernError('refused-taste', 'No.');
  await expect(writeHfCheckpoint(dir, folderOf(failing(refusal)))).rejects.toBe(refusal);
  expect(existsSync(partial()) || existsSync(`${partial()}.journal`)).toBe(false);
});

test('survives SIGKILL at any moment', async () => {
  const layers = 12;
  const script = join(import.meta.dirname, 'testing/write-layers.ts');
  const run = (killAfter: number): Promise<{ killed: boolean; text: string }> => {
    const child = spawn(process.execPath, ['--conditions=source', '--import', 'tsx', script, dir, String(layers)]);
    let text = '';
    child.stderr.on('data', (chunk) => (text += chunk));
    child.stdout.on('data', (chunk) => {
      const before = text.split('layer').length;
      text += chunk;
      const layersDone = text.split('layer').length;
      if (layersDone > killAfter) child.kill('SIGKILL');
      else child.stdin.write('\n'.repeat(layersDone - before));
    });
    return new Promise((resolve) => child.on('close', (_, signal) => resolve({ killed: signal !== null, text })));
  };
  let resumed = 0;
  for (const killAfter of [1, 4, 9]) {
    const { killed } = await run(killAfter);
    expect(killed).toBe(true);
    expect(existsSync(dir)).toBe(false);
  }
  const last = await run(Number.POSITIVE_INFINITY);
  if (existsSync(dir)) resumed = Number(/resumed (\d+)/.exec(last.text)?.[1] ?? 0);
  expect(resumed).toBeGreaterThan(0);
  await expectTensors(dir, packedLayers(layers, 4096));
  const clean = dir;
  const hash = (folder: string) =>
    filesOf(folder).map((name) =>
      createHash('sha256')
        .update(readFileSync(join(folder, name)))
        .digest('hex'),
    );
  const killedHashes = hash(clean);
  dir = `${dir}-clean`;
  await run(Number.POSITIVE_INFINITY);
  expect(hash(dir)).toEqual(killedHashes);
});
