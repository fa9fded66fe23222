// Folders of packed weights of every architecture: with 8 bits the model that is read back gives the original's
// distribution (random experts are chosen otherwise now and then), whatever was renamed, reordered or folded on the way; what cannot be packed is refused before anything is
// written, with the reason that docs/models.md has.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { quantizeModel } from '@quern/awq';
import { architectureOf, openModel } from '@quern/models';
import { cpuDevice, type Device } from '@quern/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { meanDivergence } from '../../oracle/divergence.ts';
import { architectureRows, checkpointOf } from '../forward/architectures.ts';
import { allLogits, recordedTensor, withModel } from '../forward/recorded.ts';

/** Where scales are searched as well, which takes longer: one model of each kind of block. */
const searched = ['cohere2moe', 'gemma3', 'phi3', 'qwen35', 'lfm2moe'];
const sequences = [1, 2].map((seed) =>
  Int32Array.from({ length: 16 }, (_, i) => (97 * seed + i * i * 13 + 5 * i) % 250),
);
const folderRequest = { format: 'compressed-tensors', bits: 8, groupSize: 32, symmetric: true };

describe.each(architectureRows)('$name', ({ name }) => {
  const source = checkpointOf(name);
  if (!source) {
    it.skip(`skipped: no checkpoint of ${name} in test/models/arch, nor in QUERN_MODELS`);
    return;
  }
  let folder: string;
  let device: Device;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'quern-packed-'));
    device = await cpuDevice({ threads: 1 });
  });
  afterAll(async () => {
    await device.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  const { bytes, shape } = recordedTensor(`${source}/expected.safetensors`, 'input_ids');
  const ids = new Int32Array(bytes, 0, Math.min(24, shape[1]!));
  const logitsOf = async (path: string) =>
    withModel(await openModel(path), device, { cells: shape[1]! }, async (model) => ({
      logits: await allLogits(model, ids),
      vocab: model.hyperparameters.vocabSize,
    }));

  it.each(['rtn', ...(searched.includes(name) ? ['awq' as const] : [])] as const)('%s', async (method) => {
    const out = join(folder, method);
    const view = await openModel(source);
    const record = architectureOf(view);
    const request =
      method === 'rtn'
        ? { ...folderRequest, method: { name: method }, sequences: [] }
        : { ...folderRequest, method: { name: method, clip: false }, sequences };
    const made = quantizeModel(view, out, request, { threads: 1 });
    if (record.awq.length === 0) {
      const message = expect.stringContaining(record.notPacked ?? 'a reason in the record');
      await expect(made).rejects.toMatchObject({ code: 'pack-unsupported', message });
      expect(existsSync(out)).toBe(false);
      await view.close();
      return;
    }
    const refused = await made.then(
      () => undefined,
      (error: unknown) => error,
    );
    await view.close();
    if (refused) {
      // A tiny model may have rows of 48 weights; experts may be stored transposed.
      expect(refused).toMatchObject({ code: expect.stringMatching(/^(group-size-indivisible|pack-unsupported)$/) });
      expect(existsSync(out)).toBe(false);
      return;
    }
    const [original, packed] = [await logitsOf(source), await logitsOf(out)];
    expect(meanDivergence(original.logits, packed.logits, original.vocab)).toBeLessThan(record.experts ? 0.05 : 1e-2);
  });
});
