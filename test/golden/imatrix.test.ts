// Importance matrices against llama-imatrix's own (test/models/tiny-llama/expected: `-c 512 -b 512 --no-ppl -t 1` on the
// first 60,000 bytes of tinyshakespeare.txt).
//
// Tolerances. llama-imatrix keeps keys and values in F16 and adds up the values of attention in F16 too (flash
// attention), which moves single sums of attn_output by up to 5e-4 and, weakened, everything after it. quern computes in
// F32; imatrix-native.test.ts compares with llama.cpp in F32, where only float error is left.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importanceOf, readImatrix, runCalibration, writeImatrix } from '@quern/calibration';
import { openModel } from '@quern/models';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const models = join(import.meta.dirname, '../models');
const expected = (name: string) => join(models, 'tiny-llama/expected', name);
const gguf = expected('imatrix.gguf');
const dat = expected('imatrix.dat');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'quern-imatrix-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('measuring', () => {
  const text = readFileSync(join(models, 'text/tinyshakespeare.txt')).subarray(0, 60_000);

  async function measure(output: string, threads: number) {
    const view = await openModel(join(models, 'tiny-llama'));
    try {
      const plan = { texts: [{ name: 'calib.txt', bytes: text }], contextTokens: 512 };
      return (await runCalibration(view, plan, output, { threads })).matrix;
    } finally {
      await view.close();
    }
  }

  test('gives the sums and counts of llama-imatrix', async () => {
    const theirs = await readImatrix(gguf);
    const ours = await measure(join(folder, 'ours.gguf'), 2);
    expect([...ours.entries.keys()]).toEqual([...theirs.entries.keys()]);
    const { datasets, chunkCount, chunkSize } = ours;
    expect({ datasets, chunkCount, chunkSize }).toEqual({ datasets: ['calib.txt'], chunkCount: 37, chunkSize: 512 });
    for (const [name, { sums, counts }] of theirs.entries) {
      const entry = ours.entries.get(name)!;
      expect(entry.counts, name).toEqual(counts);
      expect(entry.sums.length, name).toBe(sums.length);
      const errors = sums.map((sum, i) => Math.abs(entry.sums[i]! / sum - 1));
      expect(Math.max(...errors), `worst of ${name}`).toBeLessThan(name.includes('attn_output') ? 1e-3 : 2e-4);
      expect(errors.reduce((a, b) => a + b) / errors.length, `mean of ${name}`).toBeLessThan(1e-4);
    }
  });

  test('gives the same bytes on any number of threads', async () => {
    const [one, three] = [join(folder, 'one.gguf'), join(folder, 'three.gguf')];
    await measure(one, 1);
    await measure(three, 3);
    expect(readFileSync(three).equals(readFileSync(one))).toBe(true);
  });
});

describe('files', () => {
  test('a GGUF of llama-imatrix comes back byte for byte', async () => {
    const copy = join(folder, 'copy.gguf');
    await writeImatrix(copy, await readImatrix(gguf));
    expect(readFileSync(copy).equals(readFileSync(gguf))).toBe(true);
  });

  test('the same content as .dat is what llama-imatrix --output-format dat writes', async () => {
    const copy = join(folder, 'copy.dat');
    await writeImatrix(copy, await readImatrix(gguf), 'dat');
    expect(readFileSync(copy).equals(readFileSync(dat))).toBe(true);
  });

  test('both formats say the same importance, within the rounding of .dat', async () => {
    const [a, b] = [await readImatrix(gguf), await readImatrix(dat)];
    expect(b).toMatchObject({ datasets: a.datasets, chunkCount: a.chunkCount, chunkSize: 0 });
    expect([...b.entries.keys()]).toEqual([...a.entries.keys()]);
    for (const name of a.entries.keys()) {
      const [fromGguf, fromDat] = [importanceOf(a, name)!.values, importanceOf(b, name)!.values];
      for (const [i, value] of fromGguf.entries()) expect(Math.abs(fromDat[i]! / value - 1)).toBeLessThan(2e-7);
    }
  });
});
