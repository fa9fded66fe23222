// Adapters against PEFT: the same numbers in the same modules must give PEFT's logits, whatever the model's weights are called in
// GGUF (recorded by data/adapters/record.py).
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAdapter, openMerged, openModel } from '@quern/models';
import { cpuDevice, type Device, referenceDevice } from '@quern/runtime';
import { afterAll, describe, expect, it } from 'vitest';
import { knownTensor, writeAdapterFolder } from '../adapter-folder.ts';
import { checkpointOf } from './forward/architectures.ts';
import { allLogits, testPath, withModel } from './forward/recorded.ts';

interface Recorded {
  readonly model: string;
  readonly config: object;
  readonly tensors: readonly (readonly [name: string, shape: readonly number[]])[];
  readonly ids: readonly number[];
  /** Tokens whose logits are recorded, at the first, the sixth and the last position. */
  readonly pick: readonly number[];
  readonly logits: readonly (readonly number[])[];
  readonly base: readonly (readonly number[])[];
}

const recorded: Record<string, Recorded> = JSON.parse(readFileSync(testPath('golden/data/adapters/peft.json'), 'utf8'));
const positions = [0, 5, 11];

const folder = mkdtempSync(join(tmpdir(), 'quern-adapters-'));
const cpu = await cpuDevice({ threads: 1 });
const devices: readonly Device[] = [referenceDevice(), cpu];
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await Promise.all(devices.map((device) => device.dispose()));
});

const modelPath = (model: string): string | undefined =>
  model.startsWith('arch/') ? checkpointOf(model.slice('arch/'.length)) : testPath(`models/${model}`);

describe.each(Object.entries(recorded))('%s', (name, { model, config, tensors, ids, pick, logits, base }) => {
  const path = modelPath(model);
  if (!path) {
    it.skip(`skipped: no checkpoint of ${model} in test/models, nor in QUERN_MODELS`);
    return;
  }
  const adapterPath = writeAdapterFolder(
    join(folder, name),
    config,
    tensors.map(([tensor, shape], seed) => knownTensor(tensor, shape, seed)),
  );

  async function picked(device: Device, scale: number): Promise<number[][]> {
    const view = await openModel(path!);
    const adapter = await openAdapter(adapterPath, view);
    return withModel(view, device, { batchTokens: 16, adapters: [{ adapter, scale }] }, async (loaded) => {
      await adapter.close();
      const all = await allLogits(loaded, Int32Array.from(ids));
      const { vocabSize } = loaded.hyperparameters;
      return positions.map((row) => pick.map((token) => all[row * vocabSize + token]!));
    });
  }

  it.each(devices)('gives the logits of PEFT on the $name device', async (device) => {
    const ours = await picked(device, 1);
    for (const [row, values] of logits.entries())
      for (const [i, value] of values.entries()) expect(Math.abs(ours[row]![i]! - value)).toBeLessThan(2e-3);
  });

  // Merged, an embedding that is the output matrix too would change both.
  const mergeable = name !== 'qwen2';
  it('gives the same when it is merged into the weights, or is refused', async () => {
    const view = await openModel(path!);
    const merging = openMerged(view, [{ path: adapterPath, scale: 1 }]);
    if (!mergeable) {
      await expect(merging).rejects.toMatchObject({
        code: 'adapter-unsupported',
        tensor: expect.stringMatching('embed'),
      });
      await view.close();
      return;
    }
    const merged = await merging;
    const all = await withModel(merged.view, cpu, { batchTokens: 16 }, (model) =>
      allLogits(model, Int32Array.from(ids)),
    );
    await merged.close();
    const vocab = all.length / ids.length;
    for (const [row, values] of logits.entries())
      for (const [i, value] of values.entries())
        expect(Math.abs(all[positions[row]! * vocab + pick[i]!]! - value)).toBeLessThan(2e-3);
  });

  it('gives those of the model without the adapter', async () => {
    const ours = await picked(cpu, 0);
    for (const [row, values] of base.entries())
      for (const [i, value] of values.entries()) expect(Math.abs(ours[row]![i]! - value)).toBeLessThan(1e-3);
  });
});
