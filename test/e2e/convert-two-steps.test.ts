// Converting to a quantized type in one pass gives the file of converting first and quantizing the result, also where the
// intermediate file would have rounded: a float32 checkpoint goes through F16.
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bf16ToF32, dtypeByName, TranscodePool } from '@quern/blocks';
import { openGgufModel, openHfCheckpoint } from '@quern/checkpoint';
import { planConversion, planTypes, writeModel } from '@quern/kquant';
import { openModel } from '@quern/models';
import { writeSafetensors } from '@quern/safetensors';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { seededRandom } from '../../packages/blocks/src/testing/edge-rows.ts';

const models = join(import.meta.dirname, '../models');
let folder: string;
let pool: TranscodePool;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'quern-two-steps-'));
  pool = await TranscodePool.create({ threads: 2 });
});
afterAll(async () => {
  await pool.close();
  rmSync(folder, { recursive: true, force: true });
});

/** tiny-llama in float32, with digits that neither BF16 nor F16 can hold. */
async function float32Checkpoint(): Promise<string> {
  const original = await openHfCheckpoint(join(models, 'tiny-llama'));
  const copy = join(folder, 'float32');
  cpSync(original.path, copy, { recursive: true, filter: (path) => !/expected|safetensors/.test(path) });
  const random = seededRandom(3);
  const tensors = [...original.tensors.values()].map(({ name, shape, rows, rowBytes, readRows }) => ({
    name,
    shape,
    dtype: dtypeByName('F32'),
    data: (async function* () {
      const stored = new Uint8Array(rows * rowBytes);
      await readRows(0, rows, stored);
      const values = Float32Array.from(
        new Uint16Array(stored.buffer),
        (bits) => bf16ToF32(bits) * (1 + random() / 100),
      );
      yield new Uint8Array(values.buffer);
    })(),
  }));
  await writeSafetensors(join(copy, 'model.safetensors'), tensors);
  await original.close();
  return copy;
}

async function expectSameFile(checkpoint: string, fileType: string): Promise<void> {
  const [once, between, twice] = ['once', 'between', 'twice'].map((name) => join(folder, `${name}.gguf`));
  const model = await openModel(checkpoint);
  const converted = planConversion(model, 'auto');
  await writeModel(model, planTypes(model, fileType, { converted }), once!, { pool, force: true });
  await writeModel(model, converted, between!, { pool, force: true });
  await model.close();
  const intermediate = await openGgufModel(between!);
  await writeModel(intermediate, planTypes(intermediate, fileType), twice!, { pool, force: true });
  await intermediate.close();
  expect(readFileSync(once!).equals(readFileSync(twice!))).toBe(true);
}

test.each(['Q4_K_M', 'Q4_K_S', 'Q6_K', 'Q4_0'])('bfloat16 checkpoints to %s', async (fileType) => {
  for (const name of ['tiny-llama', 'arch/llama-spm', 'arch/llama3', 'arch/mistral', 'arch/qwen2', 'arch/qwen3']) {
    await expectSameFile(join(models, name), fileType);
  }
});

test('a float32 checkpoint, by way of F16', async () => {
  const checkpoint = await float32Checkpoint();
  const model = await openModel(checkpoint);
  const plan = planTypes(model, 'Q4_K_M', { converted: planConversion(model, 'auto') });
  expect(plan.tensors.filter(({ via }) => via?.name === 'F16').length).toBe(29);
  await model.close();
  for (const fileType of ['Q4_K_M', 'Q6_K', 'Q4_0']) await expectSameFile(checkpoint, fileType);
});
