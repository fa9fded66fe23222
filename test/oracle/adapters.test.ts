// Adapters in native llama.cpp and here: the files that convert-lora writes must give the same logits in both.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { planConversion, writeModel } from '@quern/kquant';
import { adapterView, loadModel, openAdapter, openModel, openPeftAdapter, sequenceLogits } from '@quern/models';
import { cpuDevice } from '@quern/runtime';
import { afterAll, describe, expect, it } from 'vitest';
import { knownTensor, writeAdapterFolder } from '../adapter-folder.ts';
import { meanDivergence } from './divergence.ts';
import { nativeLogits, oracleUnavailable } from './src/index.ts';

if (oracleUnavailable) console.log(`Skipping the comparison of adapters with llama.cpp: ${oracleUnavailable}`);

const cases = JSON.parse(readFileSync(new URL('../golden/data/adapters/peft.json', import.meta.url), 'utf8'));

describe.skipIf(oracleUnavailable)('logits with adapters in llama.cpp', () => {
  const folder = mkdtempSync(join(tmpdir(), 'quern-adapters-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each([
    ['tiny-llama', [1]],
    ['tiny-llama-root', [0.5]],
    ['tiny-llama-patterns', [1]],
    ['qwen3-head', [1]],
    ['qwen2moe-experts', [1]],
    ['glm4', [-0.75]],
    ['gptneox', [1]],
    ['qwen35', [1]],
    ['tiny-llama', [0.5, 0.25]],
  ])('%s at scales %j', async (name, scales) => {
    const { model, config, tensors, ids } = cases[name];
    const checkpoint = new URL(`../models/${model}`, import.meta.url).pathname;
    const base = await openModel(checkpoint);
    const basePath = join(folder, `${name}.gguf`);
    await writeModel(base, planConversion(base, 'F32'), basePath, { threads: 1, force: true });
    const adapters = await Promise.all(
      scales.map(async (scale, i) => {
        const known = tensors.map(([tensor, shape]: [string, number[]], seed: number) =>
          knownTensor(tensor, shape, seed + 100 * i),
        );
        const adapter = await openPeftAdapter(writeAdapterFolder(join(folder, `${name}-${i}`), config, known), base);
        const view = await adapterView(adapter, base);
        const path = join(folder, `${name}-${i}.gguf`);
        await writeModel(view, planConversion(view, 'F32'), path, { threads: 1, force: true });
        await adapter.close();
        return { path, scale };
      }),
    );
    await base.close();

    const view = await openModel(basePath);
    const opened = await Promise.all(
      adapters.map(async ({ path, scale }) => ({ adapter: await openAdapter(path, view), scale })),
    );
    const device = await cpuDevice({ threads: 1 });
    const loaded = await loadModel(view, device, { batchTokens: 16, cells: 256, adapters: opened });
    const { vocabSize } = loaded.hyperparameters;
    const ours = new Float32Array(ids.length * vocabSize);
    for await (const { first, logits } of sequenceLogits(loaded, Int32Array.from(ids)))
      ours.set(logits, first * vocabSize);
    loaded.dispose();
    for (const { adapter } of opened) await adapter.close();
    await view.close();
    await device.dispose();

    const native = nativeLogits(basePath, ids, { adapters });
    expect(meanDivergence(native, ours, vocabSize)).toBeLessThan(1e-5);
    expect(meanDivergence(nativeLogits(basePath, ids), ours, vocabSize)).toBeGreaterThan(1e-3);
  });
});
