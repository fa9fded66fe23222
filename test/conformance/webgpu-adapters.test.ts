// Adapters on the WebGPU device: the logits that PEFT recorded (test/golden/data/adapters), of ranks that no vector of a kernel divides,
// of experts, and with factors of their own.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAdapter, openModel } from '@quern/models';
import { type WebgpuDevice, webgpuDevice } from '@quern/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { knownTensor, writeAdapterFolder } from '../adapter-folder.ts';
import { allLogits, testPath, withModel } from '../golden/forward/recorded.ts';
import { useSwiftShader } from './software-gpu.ts';

const missing = useSwiftShader();
const recorded = JSON.parse(readFileSync(testPath('golden/data/adapters/peft.json'), 'utf8'));
const positions = [0, 5, 11];

describe.skipIf(missing)(`adapters on webgpu${missing ? ` (skipped: ${missing})` : ''}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'quern-adapters-'));
  let device: WebgpuDevice;
  beforeAll(async () => {
    device = await webgpuDevice({ software: true });
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await device.dispose();
  });

  it.each(['tiny-llama-root', 'qwen2', 'qwen3-head', 'qwen2moe-experts', 'qwen35'])('%s', async (name) => {
    const { model, config, tensors, ids, pick, logits } = recorded[name];
    const known = tensors.map(([tensor, shape]: [string, number[]], seed: number) => knownTensor(tensor, shape, seed));
    const view = await openModel(testPath(`models/${model}`));
    const adapter = await openAdapter(writeAdapterFolder(join(folder, name), config, known), view);
    await withModel(view, device, { batchTokens: 16, adapters: [{ adapter, scale: 1 }] }, async (loaded) => {
      await adapter.close();
      const all = await allLogits(loaded, Int32Array.from(ids));
      const { vocabSize } = loaded.hyperparameters;
      for (const [row, values] of (logits as number[][]).entries())
        for (const [i, value] of values.entries())
          expect(Math.abs(all[positions[row]! * vocabSize + pick[i]]! - value)).toBeLessThan(2e-3);
    });
  });
});
