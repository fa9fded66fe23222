// Importance matrices against native llama.cpp: what it multiplies each weight with, summed here as llama-imatrix sums it,
// and what its own GGUF writer makes of a mixture of experts.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  calibrate,
  calibrationLoadOptions,
  type ImportanceEntry,
  type ImportanceMatrix,
  writeImatrix,
} from '@quern/calibration';
import { planConversion, writeModel } from '@quern/kquant';
import { hyperparameters, loadModel, openModel } from '@quern/models';
import { cpuDevice } from '@quern/runtime';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type MatmulInput, nativeMatmulInputs, nativeWriteImatrix, oracleUnavailable } from '../oracle/src/index.ts';

const models = join(import.meta.dirname, '../models');
const chunkSize = 96;
const chunkCount = 3;

/** Each row goes to the one matrix that there is, or to the experts that the router chose for its token. */
function addSquares({ sums, counts }: ImportanceEntry, { rows, cols, values, experts }: MatmulInput): void {
  const slots = experts ?? new Int32Array(rows);
  for (const [slot, expert] of slots.entries()) {
    const row = Math.floor(slot / (slots.length / rows));
    for (let i = 0; i < cols; i++) sums[expert * cols + i]! += Math.fround(values[row * cols + i]! ** 2);
    counts[expert]!++;
  }
}

/**
 * Relative to the sum; an expert that saw few tokens may have columns that are next to 0, whose float error is measured by
 * a tenth of its average column.
 */
function largestError({ sums, counts }: ImportanceEntry, wanted: Float32Array): number {
  const width = sums.length / counts.length;
  const errors = sums.map((sum, i) => {
    const first = i - (i % width);
    const average = wanted.subarray(first, first + width).reduce((a, b) => a + b) / width;
    return sum === wanted[i] ? 0 : Math.abs(sum - wanted[i]!) / Math.max(wanted[i]!, average / 10);
  });
  return Math.max(...errors);
}

describe.skipIf(oracleUnavailable)('native llama.cpp', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'quern-imatrix-native-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each([
    'tiny-llama',
    'tiny-qwen3-moe',
    ...['llama-spm', 'llama3', 'mistral', 'qwen2', 'qwen3', 'mixtral', 'qwen2moe', 'qwen3moe'].map(
      (name) => `arch/${name}`,
    ),
  ])('%s: the sums of its matmul inputs', async (name) => {
    const view = await openModel(join(models, name));
    const path = join(folder, `${name.replace('/', '-')}.gguf`);
    await writeModel(view, planConversion(view, 'F32'), path);
    const { vocabSize } = hyperparameters(view);
    const ids = (chunk: number) =>
      Int32Array.from({ length: chunkSize }, (_, i) => (7 + 31 * i + 997 * chunk) % vocabSize);
    const chunks = Array.from({ length: chunkCount }, (_, chunk) => ids(chunk));

    const device = await cpuDevice({ threads: 2 });
    const model = await loadModel(view, device, calibrationLoadOptions(vocabSize, chunkSize, { processOutput: true }));
    const ours = await calibrate(model, chunks, { datasets: [], processOutput: true });
    await device.dispose();
    await view.close();

    const theirs = new Map<string, ImportanceEntry>();
    for (const chunk of chunks)
      nativeMatmulInputs(path, [...chunk], (input) => {
        const stack = view.tensors.get(input.weight)?.shape.at(-3) ?? 1;
        const entry = theirs.get(input.weight) ?? {
          sums: new Float32Array(stack * input.cols),
          counts: new Float32Array(stack),
        };
        addSquares(entry, input);
        theirs.set(input.weight, entry);
      });
    theirs.delete('token_embd.weight'); // the output of a tied model

    expect([...ours.entries.keys()]).toEqual([...theirs.keys()].sort());
    for (const [weight, { sums, counts }] of theirs) {
      const entry = ours.entries.get(weight)!;
      expect([...entry.counts], weight).toEqual([...counts]);
      expect(largestError(entry, sums), weight).toBeLessThan(1e-5);
    }
  });

  test('writes a mixture of experts, some of which never fired, with the same bytes', async () => {
    const floats = (length: number) => Float32Array.from({ length }, (_, i) => (i % 7) * 1.5);
    const matrix: ImportanceMatrix = {
      datasets: ['a.txt', 'ü.txt'],
      chunkCount: 3,
      chunkSize: 512,
      entries: new Map([
        ['blk.0.ffn_gate_exps.weight', { sums: floats(4 * 33), counts: Float32Array.of(0, 700, 836, 0) }],
        ['blk.10.attn_q.weight', { sums: floats(33), counts: Float32Array.of(1536) }],
        ['blk.2.attn_q.weight', { sums: floats(1), counts: Float32Array.of(1536) }],
        ['blk.2.ffn_down_exps.weight', { sums: floats(5), counts: Float32Array.of(1, 2, 3, 4, 5) }],
      ]),
    };
    const [ours, theirs] = [join(folder, 'ours.gguf'), join(folder, 'theirs.gguf')];
    await writeImatrix(ours, matrix);
    nativeWriteImatrix(theirs, matrix);
    expect(readFileSync(ours).equals(readFileSync(theirs))).toBe(true);
  });
});
