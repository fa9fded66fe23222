// A model whose weights were swapped in place, against the file that has those types, read from the disk and evaluated by
// the house's perplexity.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TranscodePool } from '@quern/blocks';
import type { ModelView } from '@quern/checkpoint';
import { planConversion, planTypes, writeModel } from '@quern/kquant';
import { hyperparameters, loadModel, type Model, openModel } from '@quern/models';
import { baseOfModel, divergenceOf, evaluateWindows, perplexityLoadOptions, windowPlan } from '@quern/perplexity';
import { cpuDevice, type Device } from '@quern/runtime';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chunksFor } from '../calibration-chunks.ts';
import { CalibrationRun, calibrationRunLoadOptions } from './calibration-run.ts';
import { squaredError } from './squared-error.ts';
import { WeightSwap } from './weight-swap.ts';

const contextTokens = 128;
const chunkCount = 4;

let folder: string;
let pool: TranscodePool;
const opened: { dispose(): Promise<void> | void }[] = [];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'quern-run-'));
  pool = await TranscodePool.create({ threads: 1 });
});
afterAll(async () => {
  for (const one of opened.reverse()) await one.dispose();
  await pool.close();
  rmSync(folder, { recursive: true, force: true });
});

async function device(): Promise<Device> {
  const cpu = await cpuDevice({ threads: 1 });
  opened.push(cpu);
  return cpu;
}

async function open(path: string): Promise<ModelView> {
  const view = await openModel(path);
  opened.push({ dispose: () => view.close() });
  return view;
}

const checkpoint = (name: string): string => fileURLToPath(new URL(`../../../../test/models/${name}`, import.meta.url));

/** Mean KLD by the house: rows n/2 … n - 2 of every window. */
async function evaluated(model: Model, base: Model, chunks: readonly Int32Array[]): Promise<number> {
  const ids = Int32Array.from(chunks.flatMap((chunk) => [...chunk]));
  const windows = await evaluateWindows(model, ids, windowPlan({ contextTokens }), { base: baseOfModel(base) });
  return divergenceOf(windows).kld.value;
}

describe.each(['tiny-llama', 'tiny-qwen3-moe'])('%s', (name) => {
  test('has the divergence of the file that would be written', async () => {
    const view = await open(checkpoint(name));
    const chunks = await chunksFor(view, { contextTokens, chunks: chunkCount });
    const plan = planTypes(view, 'Q4_K_M', { converted: planConversion(view, 'auto') });
    const { vocabSize } = hyperparameters(view);
    const model = await loadModel(view, await device(), calibrationRunLoadOptions(vocabSize, contextTokens));
    const run = await CalibrationRun.start(model, chunks);
    const swap = new WeightSwap(model, view, pool);
    for (const tensor of plan.tensors) if (tensor.shape.length > 1) await swap.set(tensor);
    const { kld, error } = await run.divergence();

    const path = join(folder, `${name}.gguf`);
    await writeModel(view, plan, path, { pool });
    const options = perplexityLoadOptions(vocabSize, contextTokens);
    const written = await loadModel(await open(path), await device(), options);
    const base = await loadModel(view, await device(), options);
    const expected = await evaluated(written, base, chunks);
    // One row of 64 more per chunk is scored here, by which means may differ.
    expect(Math.abs(kld - expected)).toBeLessThan(0.03 * expected);
    expect(error).toBeGreaterThan(0);
    await swap.restoreAll();
    expect(Math.abs((await run.divergence()).kld)).toBeLessThan(1e-12);
  });

  test('is measured alike from the block of the weight and from the tokens', async () => {
    const view = await open(checkpoint(name));
    const chunks = await chunksFor(view, { contextTokens, chunks: 2 });
    const { vocabSize, blockCount } = hyperparameters(view);
    // Small batches: chunks come in pieces, the first of which are not scored.
    const model = await loadModel(view, await device(), {
      ...calibrationRunLoadOptions(vocabSize, contextTokens),
      batchTokens: 48,
      maxOutputs: 20,
    });
    const run = await CalibrationRun.start(model, chunks);
    const swap = new WeightSwap(model, view, pool);
    const plan = planTypes(view, 'Q2_K', { converted: planConversion(view, 'auto') });
    const klds: number[] = [];
    for (let block = 0; block < blockCount; block++) {
      await run.moveTo(block);
      const tensor = plan.tensors.find((one) => one.name === `blk.${block}.attn_output.weight`)!;
      await swap.set(tensor);
      const partial = await run.divergenceFromBlock();
      expect(partial).toEqual(await run.divergence());
      klds.push(partial.kld);
      await swap.restore(tensor.name);
    }
    expect(Math.min(...klds)).toBeGreaterThan(0);
    // Backwards works too.
    await run.moveTo(0);
    await swap.set(plan.tensors.find((one) => one.name === 'blk.0.attn_output.weight')!);
    expect((await run.divergenceFromBlock()).kld).toBe(klds[0]);
  });
});

test('squared errors are those of the decoded weights', async () => {
  const view = await open(checkpoint('tiny-qwen3-moe'));
  const converted = planConversion(view, 'auto');
  const plan = planTypes(view, 'Q3_K_S', { converted });
  const swap = new WeightSwap(undefined as never, view, pool);
  const name = 'blk.1.ffn_up_exps.weight';
  const tensor = plan.tensors.find((one) => one.name === name)!;
  const source = view.tensors.get(name)!;
  const bytes = await swap.encode(tensor);

  const { codecOf } = await import('@quern/blocks');
  const stored = new Uint8Array(source.rows * source.rowBytes);
  await source.readRows(0, source.rows, stored);
  const [x, y] = [new Float32Array(source.rows * source.cols), new Float32Array(source.rows * source.cols)];
  codecOf(source.dtype).decode(stored, x);
  codecOf(tensor.to).decode(bytes, y);
  const matrices = source.shape[0]!;
  const importance = Float32Array.from({ length: matrices * source.cols }, (_, i) => 1 + (i % 7));
  const perMatrix = (source.rows / matrices) * source.cols;
  const expected = x.reduce((sum, value, i) => {
    const column = Math.floor(i / perMatrix) * source.cols + (i % source.cols);
    return sum + importance[column]! * (value - y[i]!) ** 2;
  }, 0);
  expect(await squaredError(pool, tensor, source, bytes, importance)).toBeCloseTo(expected, 8);
});
