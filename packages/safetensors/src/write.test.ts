import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dtypeByName, dtypes } from '@quern/blocks';
import { memorySource, openFile } from '@quern/source';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openSafetensors, type SafetensorsInput, writeSafetensors } from './index.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'quern-write-'));
});
afterAll(() => rm(dir, { recursive: true }));

const models = new URL('../../../test/models/', import.meta.url);

/** The tensors of an opened file as input, in scrambled order and in small pieces. */
async function rewrite(path: URL, out: string): Promise<void> {
  const source = await openFile(path.pathname);
  const file = await openSafetensors(source);
  const inputs = [...file.tensors.values()].map(
    (tensor): SafetensorsInput => ({
      ...tensor,
      data: (async function* () {
        for (let at = tensor.begin; at < tensor.end; at += 1000) {
          yield source.read(at, Math.min(1000, tensor.end - at));
        }
      })(),
    }),
  );
  await writeSafetensors(out, inputs.reverse(), file.metadata.size ? file.metadata : undefined);
  await file.close();
}

// Written by the reference implementation (the safetensors library, from Python).
test.each([
  'tiny-llama/model.safetensors',
  'tiny-llama/expected/logits.safetensors',
  'arch/qwen3/model.safetensors',
  'arch/qwen3/expected.safetensors',
])('%s comes back byte for byte', async (name) => {
  const out = join(dir, 'copy.safetensors');
  await rewrite(new URL(name, models), out);
  expect((await readFile(out)).equals(await readFile(new URL(name, models)))).toBe(true);
});

test('every safetensors dtype has its place in the file order, aligned', async () => {
  const all = dtypes.filter(({ safetensorsName }) => safetensorsName);
  const path = join(dir, 'all.safetensors');
  const inputs = all.map((dtype) =>
    input({ name: dtype.name, dtype, shape: [dtype.blockSize], data: [new Uint8Array(dtype.typeSize)] }),
  );
  await writeSafetensors(path, inputs);
  const file = await openSafetensors(await openFile(path));
  expect(file.tensors.size).toBe(all.length);
  for (const { begin, dtype } of file.tensors.values()) {
    if (dtype.blockSize === 1) expect(begin % dtype.typeSize).toBe(0);
  }
  await file.close();
});

test('what is written is read again', async () => {
  const known = dtypes.filter(({ safetensorsName }) => safetensorsName);
  const arbitrary = fc.uniqueArray(
    fc.record({
      name: fc.string({ unit: 'grapheme' }).filter((name) => name !== '__metadata__'),
      dtype: fc.constantFrom(...known),
      dims: fc.array(fc.nat(4), { maxLength: 3 }),
      seed: fc.nat(255),
    }),
    { selector: ({ name }) => name, maxLength: 8 },
  );
  const metadata = fc.option(fc.dictionary(fc.string(), fc.string()), { nil: undefined });
  const path = join(dir, 'round.safetensors');
  await fc.assert(
    fc.asyncProperty(arbitrary, metadata, async (list, meta) => {
      const inputs = list.map(({ name, dtype, dims, seed }) => {
        const shape = [...dims, dtype.blockSize];
        const bytes = dims.reduce((product, dim) => product * dim, dtype.typeSize);
        return { name, dtype, shape, data: [new Uint8Array(bytes).fill(seed)] };
      });
      await writeSafetensors(path, inputs, meta && new Map(Object.entries(meta)));
      const bytes = new Uint8Array(await readFile(path));
      const file = await openSafetensors(memorySource(bytes));
      expect(file.tensors.size).toBe(inputs.length);
      expect(Object.fromEntries(file.metadata)).toEqual(meta ?? {});
      for (const { name, dtype, shape, data } of inputs) {
        const tensor = file.tensors.get(name)!;
        expect(tensor).toMatchObject({ dtype, shape });
        expect(tensor.begin % Math.ceil(dtype.typeSize / dtype.blockSize)).toBe(0);
        expect(bytes.subarray(tensor.begin, tensor.end)).toEqual(data[0]);
      }
    }),
    { numRuns: 50 },
  );
});

const f32 = dtypeByName('F32');
const input = (more: Partial<SafetensorsInput> = {}): SafetensorsInput => ({
  name: 't',
  dtype: f32,
  shape: [2],
  data: [new Uint8Array(8)],
  ...more,
});

test.each<[string, SafetensorsInput[]]>([
  ['safetensors-unknown-dtype', [input({ dtype: dtypeByName('Q4_K') })]],
  ['safetensors-duplicate-name', [input(), input()]],
  ['safetensors-duplicate-name', [input({ name: '__metadata__' })]],
  ['safetensors-bad-shape', [input({ shape: [-1] })]],
  ['safetensors-bad-shape', [input({ shape: [2 ** 52, 2] })]],
  ['safetensors-wrong-length', [input({ data: [new Uint8Array(7)] })]],
  ['safetensors-wrong-length', [input({ data: [new Uint8Array(8), new Uint8Array(1)] })]],
  ['safetensors-header-too-large', [input({ name: 'x'.repeat(100_000_000) })]],
])('%s: nothing is left behind (%#)', async (code, inputs) => {
  const path = join(dir, 'bad.safetensors');
  await expect(writeSafetensors(path, inputs)).rejects.toMatchObject({ code, file: path });
  expect((await readdir(dir)).filter((name) => name.startsWith('bad'))).toEqual([]);
});

test('a source of bytes that fails leaves nothing under the final name', async () => {
  const path = join(dir, 'fails.safetensors');
  const data = (async function* () {
    yield new Uint8Array(4);
    throw new Error('disk on fire');
  })();
  await expect(writeSafetensors(path, [input({ data })])).rejects.toThrow('disk on fire');
  expect(existsSync(path) || existsSync(`${path}.partial`)).toBe(false);
});
