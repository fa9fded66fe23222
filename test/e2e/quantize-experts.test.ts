// Stacks of experts: importance of each matrix, experts that no token reached, NaN in the middle of a stack, a shard
// that is interrupted within.
import { readFileSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { TranscodePool } from '@quern/blocks';
import { type ImportanceEntry, writeImatrix } from '@quern/calibration';
import { type ModelView, openGgufModel } from '@quern/checkpoint';
import { mergeParts, openImportance, planTypes, type WriteOptions, writeModel } from '@quern/kquant';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { scratchFolder } from '../golden/scratch-folder.ts';
import { type SyntheticModel, syntheticImatrix, writeSyntheticGguf } from '../golden/synthetic-gguf.ts';

const experts: SyntheticModel = { layers: 6, experts: 8, untied: true };
const stack = 'blk.3.ffn_up_exps.weight';
let folder: string;
let pool: TranscodePool;
let input: string;
const at = (name: string): string => join(folder, name);
beforeAll(async () => {
  folder = scratchFolder('quern-experts-');
  pool = await TranscodePool.create({ threads: 2 });
  input = at('in.gguf');
  await writeSyntheticGguf(input, experts);
});
afterAll(async () => {
  await pool.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Writes the importance of all matrices, one row each; `change` may alter an entry. */
async function imatrixFile(path: string, change: (name: string, entry: ImportanceEntry) => void): Promise<string> {
  const entries = new Map<string, ImportanceEntry>();
  for (const [name, sums] of syntheticImatrix(experts)) {
    const entry = { sums, counts: new Float32Array(name.includes('_exps') ? 8 : 1).fill(1) };
    change(name, entry);
    entries.set(name, entry);
  }
  await writeImatrix(path, { datasets: ['text'], chunkCount: 1, chunkSize: 512, entries });
  return path;
}

async function quantize(model: string, output: string, options: WriteOptions & { matrix?: string } = {}) {
  const view: ModelView = await openGgufModel(model);
  const imatrix = options.matrix === undefined ? undefined : await openImportance(options.matrix, view);
  try {
    const plan = planTypes(view, 'Q4_K_M', { imatrix });
    // The name of the matrix would make files differ that hold the same weights.
    plan.metadata.delete('quantize.imatrix.file');
    return await writeModel(view, plan, output, { pool, force: true, ...options, imatrix });
  } finally {
    await imatrix?.close();
    await view.close();
  }
}

test('experts that no token reached are told, and count like a matrix of ones', async () => {
  const sums = (_: number, i: number, all: Float32Array) => (i >= all.length / 4 && i < all.length / 2 ? 1 : all[i]!);
  const never = await imatrixFile(at('never.gguf'), (name, { counts }) => name === stack && counts.fill(0, 2, 4));
  const ones = await imatrixFile(
    at('ones.gguf'),
    (name, entry) => name === stack && entry.sums.set(entry.sums.map((value, i) => sums(value, i, entry.sums))),
  );
  const notes: string[] = [];
  await quantize(input, at('never-out.gguf'), { matrix: never, onNote: (text) => notes.push(text) });
  await quantize(input, at('ones-out.gguf'), { matrix: ones });
  expect(notes).toEqual([`note: no token reached some experts of ${stack} (2): all their columns count the same.`]);
  expect(readFileSync(at('never-out.gguf')).equals(readFileSync(at('ones-out.gguf')))).toBe(true);
});

test.each([undefined, { index: 2, count: 2 }])(
  'NaN in a stack is refused with the row of the whole tensor: %j',
  async (shard) => {
    const broken = at('broken.gguf');
    await writeSyntheticGguf(broken, experts);
    const view = await openGgufModel(broken);
    const { offset, rowBytes } = view.tensors.get('blk.5.ffn_gate_exps.weight')!;
    await view.close();
    const file = await open(broken, 'r+');
    await file.write(Buffer.from([0, 0, 0xc0, 0x7f]), 0, 4, offset + 13 * rowBytes + 4 * 7);
    await file.close();
    const matrix = await imatrixFile(at('all.gguf'), () => {});
    for (const given of [undefined, matrix]) {
      await expect(quantize(broken, at('broken-out.gguf'), { matrix: given, shard })).rejects.toMatchObject({
        code: 'refused-non-finite',
        tensor: 'blk.5.ffn_gate_exps.weight',
        message: '1 weights are NaN or infinite, the first in row 13, column 7.',
      });
    }
  },
);

test('a shard that is interrupted goes on, and merges to the same bytes', async () => {
  const matrix = await imatrixFile(at('all.gguf'), () => {});
  await quantize(input, at('whole.gguf'), { matrix });
  const parts = [1, 2, 3].map((index) => ({ shard: { index, count: 3 }, path: at(`part${index}`) }));
  for (const { shard, path } of parts) {
    const abort = new AbortController();
    const onProgress = ({ done, total }: { done: number; total: number }) => {
      if (done > total / 2) abort.abort(new Error('interrupted'));
    };
    const options = { matrix, shard, journalBytes: 1, signal: abort.signal, onProgress };
    await expect(quantize(input, path, options)).rejects.toThrow('interrupted');
    expect((await quantize(input, path, { matrix, shard })).resumedTensors).toBeGreaterThan(0);
  }
  await mergeParts(
    at('merged.gguf'),
    parts.map(({ path }) => path),
  );
  expect(readFileSync(at('merged.gguf')).equals(readFileSync(at('whole.gguf')))).toBe(true);
});
