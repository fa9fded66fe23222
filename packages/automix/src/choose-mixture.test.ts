// Whole runs on real weights: targets kept to the byte, never worse than a fixed mixture, stopped and gone on.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ModelView } from '@quern/checkpoint';
import { layoutOf, planConversion, planTypes, writeModel } from '@quern/kquant';
import { openModel } from '@quern/models';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chunksFor } from './calibration-chunks.ts';
import { type AutomixOptions, type AutomixResult, chooseMixture } from './choose-mixture.ts';
import { Measuring } from './measuring.ts';
import { parseTargetSize } from './plan/target.ts';
import { tensorTypeRules } from './plan/tensor-type-file.ts';

const models = fileURLToPath(new URL('../../../test/models/', import.meta.url));
let folder: string;
let view: ModelView;
let chunks: Int32Array[];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'quern-automix-'));
  view = await openModel(join(models, 'tiny-llama'));
  chunks = await chunksFor(view, { contextTokens: 128, chunks: 3 });
});
afterAll(async () => {
  await view.close();
  rmSync(folder, { recursive: true, force: true });
});

const planOptions = () => ({ converted: planConversion(view, 'auto') });
const like = (fileType: string) => parseTargetSize(fileType);

async function choose(options: Partial<AutomixOptions> = {}): Promise<AutomixResult> {
  return chooseMixture(view, {
    target: like('Q4_K_M'),
    planOptions: planOptions(),
    chunks,
    journal: join(folder, 'usual.jsonl'),
    types: ['Q3_K', 'Q4_K', 'Q5_K', 'Q6_K'],
    trials: 3,
    threads: 2,
    ...options,
  });
}

const typesOf = ({ plan }: AutomixResult) => plan.tensors.map(({ name, to }) => `${name}=${to.name}`);

describe('tiny-llama at the size of Q4_K_M', () => {
  let usual: AutomixResult;
  beforeAll(async () => {
    usual = await choose();
  });

  test('is better than every fixed mixture that fits, on the text it was measured on', () => {
    expect(usual.fixed.map(({ name }) => name)).toContain('Q4_K_M');
    for (const { kld } of usual.fixed) expect(usual.chosen.kld).toBeLessThan(kld);
    expect(usual.chosen.name).toBe('auto');
  });

  test('is better than Q4_K_M on text that it was not measured on', async () => {
    const heldOut = (await chunksFor(view, { contextTokens: 128, chunks: 40 })).slice(-8);
    const measuring = new Measuring({ view, chunks: heldOut, threads: 2 });
    const { run, swap } = await measuring.start();
    const divergences: number[] = [];
    for (const plan of [usual.plan, planTypes(view, 'Q4_K_M', planOptions())]) {
      for (const tensor of plan.tensors) if (usual.sensitivities.has(tensor.name)) await swap.set(tensor);
      divergences.push((await run.divergence()).kld);
    }
    await measuring.dispose();
    expect(divergences[0]).toBeLessThan(divergences[1]!);
  });

  test('the file has the bytes that were counted, and they fit', async () => {
    const path = join(folder, 'auto.gguf');
    const { fileBytes } = await writeModel(view, usual.plan, path);
    expect(fileBytes).toBe(usual.chosen.bytes);
    expect(readFileSync(path).length).toBe(fileBytes);
    expect(fileBytes).toBeLessThanOrEqual(layoutOf(planTypes(view, 'Q4_K_M', planOptions())).fileBytes);
  });

  test('the saved types give the same file by name', async () => {
    const quantized = usual.plan.tensors.filter(({ name }) => usual.sensitivities.has(name));
    const again = planTypes(view, usual.plan.fileType, {
      ...planOptions(),
      tensorTypes: await tensorTypeRules(quantized),
    });
    expect(again.tensors.map(({ name, to }) => `${name}=${to.name}`)).toEqual(typesOf(usual));
    expect(again.metadata).toEqual(usual.plan.metadata);
  });

  test('what the tensors cost alone adds up, roughly, to what they cost together', () => {
    const { kld, predicted } = usual.automatic;
    expect(predicted / kld).toBeGreaterThan(0.5);
    expect(predicted / kld).toBeLessThan(2);
  });

  test('measures nothing twice, and decides the same', async () => {
    const before = readFileSync(join(folder, 'usual.jsonl'), 'utf8');
    const steps: string[] = [];
    const again = await choose({ onProgress: (step) => steps.push(step) });
    expect(steps).toEqual([]);
    expect(again).toEqual(usual);
    expect(readFileSync(join(folder, 'usual.jsonl'), 'utf8')).toBe(before);
  });

  test('stopped at any place and gone on, it decides the same', async () => {
    const journal = join(folder, 'stopped.jsonl');
    for (const stopAfter of [3, 40, 70]) {
      const stop = new AbortController();
      let steps = 0;
      const onProgress = () => {
        if (++steps === stopAfter) stop.abort(new Error('stopped'));
      };
      await expect(choose({ journal, onProgress, signal: stop.signal })).rejects.toThrow('stopped');
    }
    const known = readFileSync(journal, 'utf8').split('\n').length;
    expect(known).toBeGreaterThan(10);
    const result = await choose({ journal, threads: 1 });
    expect(result).toEqual(usual);
    expect(readFileSync(journal, 'utf8')).toBe(readFileSync(join(folder, 'usual.jsonl'), 'utf8'));
  });

  test('other chunks with the same file are refused', async () => {
    await expect(choose({ chunks: chunks.slice(1) })).rejects.toMatchObject({ code: 'refused-settings-differ' });
  });

  test('bits per weight count the tensor data', async () => {
    const bits = 5;
    const { plan, budget } = await choose({ target: { kind: 'bits', bitsPerWeight: bits }, trials: 0 });
    expect(budget.counts).toBe('tensors');
    expect(plan.totals.bitsPerWeight).toBeLessThanOrEqual(bits);
    // Every tensor is a thousandth of the model or more, so it comes near.
    expect(plan.totals.bitsPerWeight).toBeGreaterThan(0.99 * bits);
  });

  test('between Q8_0 and F16, some tensors stay as they are', async () => {
    const { plan } = await choose({ target: { kind: 'bits', bitsPerWeight: 12 }, trials: 0 });
    const types = new Set(plan.tensors.filter(({ shape }) => shape.length > 1).map(({ to }) => to.name));
    expect(types).toContain('BF16');
    expect(types.size).toBeGreaterThan(1);
    expect(plan.totals.bitsPerWeight).toBeLessThanOrEqual(12);
  });

  test('one of two layers measured is enough for a mixture that is better than the fixed one', async () => {
    const measured: string[] = [];
    const { chosen, fixed } = await choose({
      journal: join(folder, 'layers.jsonl'),
      everyLayers: 3,
      measured: 1,
      trials: 0,
      onProgress: (step, { label }) => step === 'sensitivity' && measured.push(label),
    });
    // Of four layers the first and the last, and the embedding; one line says that all is done.
    expect(new Set(measured).size - 1).toBe(1 + 2 * 7);
    expect(chosen.kld).toBeLessThan(fixed.find(({ name }) => name === 'Q4_K_M')!.kld);
  });

  test('a fixed mixture that is better is taken, to the byte', async () => {
    const { chosen, plan, automatic, fixed } = await choose({
      journal: join(folder, 'poor.jsonl'),
      types: ['Q2_K', 'Q8_0'],
      trials: 0,
    });
    const best = fixed.reduce((a, b) => (b.kld < a.kld ? b : a));
    expect(best.kld).toBeLessThan(automatic.kld);
    expect(chosen).toEqual(best);
    expect(plan).toEqual(planTypes(view, best.name, planOptions()));
  });

  test.each([
    ['below the smallest', 'file', 1_000_000, /the smallest mixture has \d+/],
    ['above the unquantized model', 'file', 9_000_000, /the unquantized model has only \d+/],
  ] as const)('a target %s is refused with the numbers, before anything is measured', async (_, kind, bytes, says) => {
    const journal = join(folder, 'never.jsonl');
    await expect(choose({ target: { kind, bytes }, journal })).rejects.toMatchObject({
      code: 'refused-target',
      message: expect.stringMatching(new RegExp(`${bytes} bytes.*${says.source}`)),
    });
    expect(() => readFileSync(journal)).toThrow();
  });
});

test('rows that no K type can have get types with blocks of 32', async () => {
  const small = await openModel(join(models, 'arch/qwen3moe/llama.cpp-bf16.gguf'));
  const { plan, chosen, budget } = await chooseMixture(small, {
    target: { kind: 'bits', bitsPerWeight: 6 },
    planOptions: {},
    chunks: await chunksFor(small, { contextTokens: 64, chunks: 2 }),
    journal: join(folder, 'small.jsonl'),
    trials: 0,
    threads: 1,
  });
  expect(chosen.bytes).toBeLessThanOrEqual(budget.bytes);
  const quantized = plan.tensors.filter(({ to }) => to.blockSize > 1);
  expect(quantized.length).toBeGreaterThan(20);
  for (const { to } of quantized) expect(['Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0', 'IQ4_NL']).toContain(to.name);
  await small.close();
});

test.each([
  ['without an importance matrix', ['Q4_K', 'IQ2_XXS'], 'refused-imatrix-needed'],
  ['that no weights have', ['Q4_K', 'Q8_1'], 'usage-ggml-type'],
  ['that do not exist', ['Q9_K'], 'usage-ggml-type'],
])('types %s are refused', async (_, types, code) => {
  await expect(choose({ types, journal: join(folder, 'never.jsonl') })).rejects.toMatchObject({ code });
});

test('a model without a tokenizer, a text too short, a text that is not there', async () => {
  const metadata = new Map([...view.metadata].filter(([key]) => !key.startsWith('tokenizer.')));
  await expect(chunksFor({ ...view, metadata, tensors: view.tensors, close: view.close }, {})).rejects.toMatchObject({
    code: 'tokenizer-model-missing',
  });
  const file = fileURLToPath(new URL('./index.ts', import.meta.url));
  await expect(chunksFor(view, { file, contextTokens: 100_000 })).rejects.toMatchObject({ code: 'text-too-short' });
  await expect(chunksFor(view, { file: join(folder, 'none.txt') })).rejects.toMatchObject({
    code: 'calibration-unreadable',
  });
});
