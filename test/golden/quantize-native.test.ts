// Whole files against native llama_model_quantize: every byte, metadata included. Real models for their odd sizes, and
// synthetic ones for the corners of the mixture rules: many layers, shared KV heads, experts, fused QKV, falcon.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TranscodePool } from '@quern/blocks';
import { openGgufModel } from '@quern/checkpoint';
import { fileTypes, planTypes, writeModel } from '@quern/kquant';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FileTypeName, nativeQuantizeModel, oracleUnavailable } from '../oracle/src/index.ts';
import { type SyntheticModel, writeSyntheticGguf } from './synthetic-gguf.ts';

const models = join(import.meta.dirname, '../models');
const inputs: Record<string, string> = {
  'tiny-llama bf16': join(models, 'tiny-llama/expected/llama.cpp-bf16.gguf'),
};
for (const arch of ['llama-spm', 'llama3', 'mistral', 'qwen2', 'qwen3']) {
  for (const name of readdirSync(join(models, 'arch', arch)).filter((file) => file.startsWith('llama.cpp-'))) {
    if (!name.includes('q8_0')) inputs[`${arch} ${name.slice(10, -5)}`] = join(models, 'arch', arch, name);
  }
}

const synthetic: Record<string, SyntheticModel> = {
  'one layer': { layers: 1 },
  '8 layers': { layers: 8 },
  '13 layers, untied': { layers: 13, untied: true },
  '35 layers, 8 heads on 1': { layers: 35, heads: 8, kvHeads: 1 },
  '80 layers, 8 heads on 1 (70B)': { layers: 80, heads: 8, kvHeads: 1, untied: true },
  '80 layers, no sharing (65B)': { layers: 80, heads: 8, kvHeads: 8 },
  '80 layers of qwen2 (70B)': { layers: 80, architecture: 'qwen2' },
  '8 experts': { layers: 12, experts: 8, untied: true },
  '4 experts': { layers: 12, experts: 4 },
  'fused QKV': { layers: 16, fusedQkv: true },
  'falcon, 40 layers': { layers: 40, architecture: 'falcon', fusedQkv: true },
  'rows of 288': { layers: 8, cols: 288, untied: true },
  'rows of 40: nothing fits': { layers: 2, cols: 40 },
};

let folder: string;
let pool: TranscodePool;
beforeAll(async () => {
  pool = await TranscodePool.create({ threads: 2 });
  folder = mkdtempSync(join(tmpdir(), 'quern-native-'));
  for (const [name, model] of Object.entries(synthetic)) {
    inputs[name] = join(folder, `${Object.keys(inputs).length}.gguf`);
    await writeSyntheticGguf(inputs[name], model);
  }
});
afterAll(async () => {
  await pool.close();
  rmSync(folder, { recursive: true, force: true });
});

describe.skipIf(oracleUnavailable)('llama_model_quantize, byte for byte', () => {
  for (const name of [...Object.keys(inputs), ...Object.keys(synthetic)]) {
    for (const { name: fileType } of fileTypes) {
      test(`${name} to ${fileType}`, async () => {
        const native = join(folder, 'native.gguf');
        const ours = join(folder, 'ours.gguf');
        nativeQuantizeModel(inputs[name]!, native, fileType as FileTypeName);
        const model = await openGgufModel(inputs[name]!);
        await writeModel(model, planTypes(model, fileType), ours, { pool, force: true });
        await model.close();
        expect(readFileSync(ours).equals(readFileSync(native))).toBe(true);
      });
    }
  }

  test.each(['Q4_K_M', 'Q6_K', 'F16'])('an input quantized already, to %s', async (fileType) => {
    const native = join(folder, 'native.gguf');
    const ours = join(folder, 'ours.gguf');
    const quantized = join(models, 'arch/llama3/llama.cpp-q8_0.gguf');
    nativeQuantizeModel(quantized, native, fileType as FileTypeName, { allowRequantize: true });
    const model = await openGgufModel(quantized);
    await writeModel(model, planTypes(model, fileType, { allowRequantize: true }), ours, { pool, force: true });
    await model.close();
    expect(readFileSync(ours).equals(readFileSync(native))).toBe(true);
  });
});
