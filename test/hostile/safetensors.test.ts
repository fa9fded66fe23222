import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openIndexed, openParts, openSafetensors } from '@quern/safetensors';
import { memorySource, type Source } from '@quern/source';
import { describe, expect, test } from 'vitest';
import { damagedFile } from './damaged-file.ts';
import { type OpenedTensor, outcomeOf, tally } from './outcome.ts';
import { safetensorsCorpus } from './safetensors-corpus.ts';

const models = new URL('../models/', import.meta.url);
const real = {
  'tiny-llama': new Uint8Array(await readFile(new URL('tiny-llama/model.safetensors', models))),
  qwen3: new Uint8Array(await readFile(new URL('arch/qwen3/model.safetensors', models))),
};
const headerBytes = (bytes: Uint8Array): number => 8 + new DataView(bytes.buffer).getUint32(0, true);

const openSource = (source: Source) => async (): Promise<OpenedTensor[]> => {
  const { tensors } = await openSafetensors(source);
  return [...tensors.values()].map((tensor) => ({ ...tensor, fileSize: source.size }));
};
const open = (bytes: Uint8Array) => openSource(memorySource(bytes, 'hostile.safetensors'));

describe('one deliberate change', () => {
  const corpus = safetensorsCorpus(real.qwen3);
  test.each(corpus.map((file) => [file.name, file] as const))('%s', async (_, { bytes, code }) => {
    expect(await outcomeOf(open(bytes))).toBe(code);
  });

  test('the same from a checkpoint folder', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'quern-hostile-'));
    for (const { bytes, code } of corpus) {
      await writeFile(join(dir, 'model.safetensors'), bytes);
      const outcome = await outcomeOf(async () => {
        const model = await openParts(dir, ['model.safetensors']);
        await model.close();
        return [];
      });
      expect(outcome).toBe(code);
    }
    await rm(dir, { recursive: true });
  });
});

test('cut off at every length, the header is never taken for a whole file', async () => {
  for (let length = 0; length <= headerBytes(real.qwen3); length++) {
    expect(await outcomeOf(open(real.qwen3.slice(0, length)))).toBe('safetensors-truncated');
  }
});

test.each(Object.entries(real))('random damage to %s ends in an error or a proved file', async (_, bytes) => {
  const header = bytes.subarray(0, headerBytes(bytes));
  const outcomes = await tally(4000, (seed) =>
    outcomeOf(openSource(damagedFile(header, bytes.length - header.length, seed))),
  );
  // The damage reaches many different checks, and leaves some files whole.
  expect(outcomes.size).toBeGreaterThan(10);
  expect(outcomes.get('open')).toBeGreaterThan(10);
  expect([...outcomes.keys()]).not.toContain('source-out-of-range');
});

test('random damage to an index never opens another file or fails unnamed', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'quern-hostile-'));
  const shard = 'model-00001-of-00001.safetensors';
  await copyFile(new URL('arch/qwen3/model.safetensors', models), join(dir, shard));
  const { tensors } = await openSafetensors(memorySource(real.qwen3));
  const map = Object.fromEntries([...tensors.keys()].map((name) => [name, shard]));
  const index = new TextEncoder().encode(JSON.stringify({ metadata: { total_size: 1 }, weight_map: map }));
  const outcomes = await tally(1000, async (seed) => {
    const damaged = damagedFile(index, 0, seed);
    await writeFile(join(dir, 'model.safetensors.index.json'), await damaged.read(0, damaged.size));
    return outcomeOf(async () => {
      const model = await openIndexed(dir, 'model.safetensors.index.json');
      expect(model.files).toEqual([join(dir, shard)]);
      await model.close();
      return [];
    });
  });
  expect(outcomes.size).toBeGreaterThan(4);
  await rm(dir, { recursive: true });
});
