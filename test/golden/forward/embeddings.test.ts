// Vectors of texts against sentence-transformers' way with transformers' states (recorded in the checkpoints): the tokens,
// and every number on both devices; from the folder, and from a GGUF made of it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TranscodePool } from '@quern/blocks';
import type { ModelView } from '@quern/checkpoint';
import { planConversion, writeModel } from '@quern/kquant';
import { embeddingSizes, embedSequences, openModel } from '@quern/models';
import { cpuDevice, type Device, referenceDevice } from '@quern/runtime';
import { tokenizerFromGguf } from '@quern/tokenizer';
import { afterAll, describe, expect, it } from 'vitest';
import { checkpointOf } from './architectures.ts';
import { maxDifference, withModel } from './recorded.ts';
import { recordedEmbeddings } from './recorded-embeddings.ts';

const cpu = await cpuDevice({ threads: 2 });
const devices = [referenceDevice(), cpu];
const scratch = mkdtempSync(join(tmpdir(), 'quern-embeddings-'));
const pool = await TranscodePool.create({ threads: 1 });
afterAll(async () => {
  await Promise.all(devices.map((device) => device.dispose()));
  await pool.close();
  rmSync(scratch, { recursive: true, force: true });
});

async function vectorsOf(
  view: ModelView,
  device: Device,
  sequences: readonly Int32Array[],
  together = 1,
): Promise<Float32Array> {
  const lengths = sequences.map(({ length }) => length);
  const sizes = embeddingSizes(together * Math.max(...lengths), together);
  const vectors: number[] = [];
  await withModel(view, device, sizes, async (model) => {
    for await (const vector of embedSequences(model, sequences)) vectors.push(...vector);
  });
  return Float32Array.from(vectors);
}

describe.each(['bert', 'embeddinggemma', 'nomic-bert', 'qwen3-embedding', 'roberta', 'xlm-roberta'])('%s', (name) => {
  const folder = checkpointOf(name);
  if (!folder) {
    it.skip(`skipped: no checkpoint of ${name} in test/models/arch, nor in QUERN_MODELS`);
    return;
  }
  const { texts, ids, vectors } = recordedEmbeddings(folder);
  const sequences = ids.map((row) => Int32Array.from(row));

  it('cuts texts into the tokens of transformers', async () => {
    const view = await openModel(folder);
    const tokenizer = tokenizerFromGguf(view.metadata);
    expect(texts.map((text) => [...tokenizer.encode(text, { addSpecial: true, parseSpecial: true })])).toEqual(ids);
    await view.close();
  });

  it.each(devices)('gives the vectors of transformers on the $name device', async (device) => {
    expect(maxDifference(await vectorsOf(await openModel(folder), device, sequences), vectors)).toBeLessThan(1e-6);
  });

  it('gives them whatever texts share the batch', async () => {
    for (const together of [2, sequences.length])
      expect(maxDifference(await vectorsOf(await openModel(folder), cpu, sequences, together), vectors)).toBeLessThan(
        1e-6,
      );
  });

  it('gives them from a GGUF', async () => {
    const output = join(scratch, `${name}.gguf`);
    const view = await openModel(folder);
    await writeModel(view, planConversion(view, 'BF16'), output, { pool });
    await view.close();
    expect(maxDifference(await vectorsOf(await openModel(output), cpu, sequences), vectors)).toBeLessThan(1e-6);
  });

  it('refuses what is longer than its context, and says that nothing was cut', async () => {
    const view = await openModel(folder);
    await withModel(view, cpu, embeddingSizes(1), async (model) => {
      const long = new Int32Array(model.hyperparameters.contextLength + 1).fill(5);
      await expect(embedSequences(model, [long]).next()).rejects.toMatchObject({ code: 'context-exceeded' });
    });
  });
});
