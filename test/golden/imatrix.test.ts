// Importance matrices against llama-imatrix's own (test/models/*/expected: `-c 512 -b 512 --no-ppl -t 1` on the first
// 60,000 bytes of tinyshakespeare.txt).
//
// Tolerances. llama-imatrix keeps keys and values in F16 and adds up the values of attention in F16 too (flash
// attention), which moves single sums of attn_output by up to 7e-4 and, weakened, everything after it; a token that two
// experts are about equally fit for may go to the other one. quern computes in F32; imatrix-native.test.ts compares with
// llama.cpp in F32, where only float error is left.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importanceOf, readImatrix, runCalibration, writeImatrix } from '@quern/calibration';
import { openModel } from '@quern/models';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const models = join(import.meta.dirname, '../models');
const text = readFileSync(join(models, 'text/tinyshakespeare.txt')).subarray(0, 60_000);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'quern-imatrix-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function measure(model: string, output: string, options: { threads: number; maxChunks?: number }) {
  const view = await openModel(join(models, model));
  try {
    const { threads, maxChunks } = options;
    const plan = { texts: [{ name: 'calib.txt', bytes: text }], contextTokens: 512, maxChunks };
    return (await runCalibration(view, plan, output, { threads })).matrix;
  } finally {
    await view.close();
  }
}

describe.each(['tiny-llama', 'tiny-qwen3-moe'])('%s', (model) => {
  const gguf = join(models, model, 'expected/imatrix.gguf');
  const dat = join(models, model, 'expected/imatrix.dat');

  test('measuring gives the sums and counts of llama-imatrix', async () => {
    const theirs = await readImatrix(gguf);
    const ours = await measure(model, join(folder, `${model}.gguf`), { threads: 2 });
    expect([...ours.entries.keys()]).toEqual([...theirs.entries.keys()]);
    const { datasets, chunkCount, chunkSize } = ours;
    expect({ datasets, chunkCount, chunkSize }).toEqual({ datasets: ['calib.txt'], chunkCount: 37, chunkSize: 512 });
    for (const [name, { sums, counts }] of theirs.entries) {
      const entry = ours.entries.get(name)!;
      const experts = counts.length > 1;
      const difference = counts.map((count, m) => Math.abs(entry.counts[m]! - count));
      expect(Math.max(...difference), `counts of ${name}`).toBeLessThanOrEqual(experts ? 2 : 0);
      expect(total(entry.counts), `tokens of ${name}`).toBe(total(counts));
      expect(entry.sums.length, name).toBe(sums.length);

      const [mine, wanted] = [importanceOf(ours, name)!.values, importanceOf(theirs, name)!.values];
      const errors = wanted.map((value, i) => Math.abs(mine[i]! / value - 1));
      const worst = experts ? 2e-2 : name.includes('attn_output') ? 1e-3 : 5e-4;
      expect(Math.max(...errors), `worst of ${name}`).toBeLessThan(worst);
      expect(total(errors) / errors.length, `mean of ${name}`).toBeLessThan(experts ? 5e-4 : 2e-4);
    }
  });

  test('a GGUF of llama-imatrix comes back byte for byte', async () => {
    const copy = join(folder, `${model}-copy.gguf`);
    await writeImatrix(copy, await readImatrix(gguf));
    expect(readFileSync(copy).equals(readFileSync(gguf))).toBe(true);
  });

  test('the same content as .dat is what llama-imatrix --output-format dat writes', async () => {
    const copy = join(folder, `${model}-copy.dat`);
    await writeImatrix(copy, await readImatrix(gguf), 'dat');
    expect(readFileSync(copy).equals(readFileSync(dat))).toBe(true);
  });

  test('both formats say the same importance, within the rounding of .dat', async () => {
    const [a, b] = [await readImatrix(gguf), await readImatrix(dat)];
    expect(b).toMatchObject({ datasets: a.datasets, chunkCount: a.chunkCount, chunkSize: 0 });
    expect([...b.entries.keys()]).toEqual([...a.entries.keys()]);
    for (const name of a.entries.keys()) {
      const [fromGguf, fromDat] = [importanceOf(a, name)!.values, importanceOf(b, name)!.values];
      const errors = fromGguf.map((value, i) => Math.abs(fromDat[i]! / value - 1));
      expect(Math.max(...errors), name).toBeLessThan(2e-7);
    }
  });

  test('measuring gives the same bytes on any number of threads', async () => {
    const files = [1, 3].map((threads) => ({ threads, path: join(folder, `${model}-${threads}.gguf`) }));
    for (const { threads, path } of files) await measure(model, path, { threads, maxChunks: 4 });
    const [one, three] = files.map(({ path }) => readFileSync(path));
    expect(three!.equals(one!)).toBe(true);
  });
});

const total = (values: Float32Array): number => values.reduce((sum, value) => sum + value, 0);
