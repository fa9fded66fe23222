import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openGguf, readGgufHeader } from '@quern/gguf';
import { memorySource, openFile, type Source } from '@quern/source';
import { describe, expect, test } from 'vitest';
import { damagedFile } from './damaged-file.ts';
import { ggufCorpus } from './gguf-corpus.ts';
import { type OpenedTensor, outcomeOf, tally } from './outcome.ts';

const models = new URL('../models/', import.meta.url);
const real = {
  model: new Uint8Array(await readFile(new URL('arch/llama-spm/llama.cpp-q8_0.gguf', models))),
  imatrix: new Uint8Array(await readFile(new URL('tiny-llama/expected/imatrix.gguf', models))),
};

const openSource = (source: Source) => async (): Promise<OpenedTensor[]> => {
  const { tensors } = await openGguf(source);
  return [...tensors.values()].map((t) => ({
    ...t,
    begin: t.offset,
    end: t.offset + t.byteLength,
    fileSize: source.size,
  }));
};
const open = (bytes: Uint8Array) => openSource(memorySource(bytes, 'hostile.gguf'));

describe('one deliberate change', async () => {
  const corpus = await ggufCorpus(real.model);
  test.each(corpus.map((file) => [file.name, file] as const))('%s', async (_, { bytes, code }) => {
    expect(await outcomeOf(open(bytes))).toBe(code);
  });

  test('the same from a file on disk, which is closed again', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'quern-hostile-'));
    for (const { bytes, code } of corpus) {
      const path = join(dir, 'hostile.gguf');
      await writeFile(path, bytes);
      const outcome = await outcomeOf(async () => {
        const model = await openGguf(path);
        await model.close();
        return [];
      });
      expect(outcome).toBe(code);
    }
    await rm(dir, { recursive: true });
  });
});

test('cut off at every length, the header is never taken for a whole file', async () => {
  const { dataOffset } = await readGgufHeader(memorySource(real.imatrix));
  for (let length = 0; length <= dataOffset; length++) {
    const outcome = await outcomeOf(open(real.imatrix.slice(0, length)));
    // A shorter file can also hold fewer pairs than it promises, or not even the magic.
    expect(['gguf-truncated', 'gguf-bad-count', 'gguf-bad-magic']).toContain(outcome);
  }
});

test.each(Object.entries(real))('random damage to %s ends in an error or a proved file', async (_, bytes) => {
  const { dataOffset } = await readGgufHeader(memorySource(bytes));
  const header = bytes.subarray(0, dataOffset);
  const outcomes = await tally(4000, (seed) =>
    outcomeOf(openSource(damagedFile(header, bytes.length - dataOffset, seed))),
  );
  // The damage reaches many different checks, and leaves some files whole.
  expect(outcomes.size).toBeGreaterThan(15);
  expect(outcomes.get('open')).toBeGreaterThan(10);
  expect([...outcomes.keys()]).not.toContain('source-out-of-range');
});

test('every single byte of a preamble and first pairs, set to every value', async () => {
  const damaged = real.imatrix.slice();
  for (let at = 0; at < 120; at++) {
    const original = damaged[at]!;
    for (let value = 0; value < 256; value++) {
      damaged[at] = value;
      await outcomeOf(open(damaged));
    }
    damaged[at] = original;
  }
});

test('a file that is no GGUF at all', async () => {
  for (const name of ['tiny-llama/tokenizer.json', 'tiny-llama/model.safetensors']) {
    const source = await openFile(new URL(name, models).pathname);
    await expect(openGguf(source)).rejects.toMatchObject({ code: 'gguf-bad-magic' });
    await source.close();
  }
});
