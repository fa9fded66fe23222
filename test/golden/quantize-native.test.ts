// Against native llama_model_quantize. Types and metadata for every file type over synthetic models for the corners of
// the mixture rules (many layers, shared KV heads, experts, fused QKV, falcon, odd rows), with and without importance
// matrix; whole files, byte for byte, for some of them and for real models.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { TranscodePool } from '@quern/blocks';
import { openGgufModel } from '@quern/checkpoint';
import { openGguf } from '@quern/gguf';
import { fileTypes, type ImportanceSource, type Plan, planTypes, writeModel } from '@quern/kquant';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FileTypeName, nativeQuantizeModel, oracleUnavailable } from '../oracle/src/index.ts';
// Here, since ggml sorts the points of its grids for half a minute, once in a process.
import '../oracle/grid-bytes-suite.ts';
import { scratchFolder } from './scratch-folder.ts';
import { type SyntheticModel, syntheticImatrix, writeSyntheticGguf } from './synthetic-gguf.ts';

const models = join(import.meta.dirname, '../models');
const tinyLlama = join(models, 'tiny-llama/expected/llama.cpp-bf16.gguf');

const synthetic: Record<string, SyntheticModel> = {
  'one layer': { layers: 1 },
  '4 layers, 4 heads on 1': { layers: 4, heads: 4, kvHeads: 1 },
  '8 layers, no sharing': { layers: 8, kvHeads: 4 },
  '13 layers, untied': { layers: 13, untied: true },
  '32 layers, 8 heads on 1': { layers: 32, heads: 8, kvHeads: 1 },
  '80 layers, 8 heads on 1 (70B)': { layers: 80, heads: 8, kvHeads: 1, untied: true },
  '80 layers, no sharing (65B)': { layers: 80, heads: 8, kvHeads: 8 },
  '80 layers of qwen2 (70B)': { layers: 80, architecture: 'qwen2' },
  '8 experts': { layers: 12, experts: 8, untied: true },
  '8 experts, 8 heads on 1': { layers: 16, experts: 8, heads: 8, kvHeads: 1 },
  '4 experts': { layers: 12, experts: 4 },
  '64 experts': { layers: 8, experts: 64, untied: true },
  'fused QKV': { layers: 16, fusedQkv: true },
  'falcon, 40 layers': { layers: 40, architecture: 'falcon', fusedQkv: true },
  'falcon, untied, separate QKV': { layers: 32, architecture: 'falcon', untied: true },
  'orion, which quern does not run': { layers: 8, architecture: 'orion', untied: true },
  'rows of 288': { layers: 8, cols: 288, untied: true },
  'rows of 40: nothing fits': { layers: 2, cols: 40 },
};
/** Whose files are compared byte by byte: the others differ from them in nothing but types. */
const wholeFiles = [
  'one layer',
  'orion, which quern does not run',
  '8 experts',
  'fused QKV',
  'rows of 288',
  'rows of 40: nothing fits',
];

/** What tells 70B from other models of 80 layers. */
const about70B = ['Q2_K', 'Q3_K_S', 'Q3_K_M', 'Q4_K_S', 'Q4_K_M', 'IQ3_M', 'IQ4_XS'];

const inputs: Record<string, string> = {};
let folder: string;
let pool: TranscodePool;
beforeAll(async () => {
  pool = await TranscodePool.create({ threads: 2 });
  folder = scratchFolder('quern-native-');
  for (const [name, model] of Object.entries(synthetic)) {
    inputs[name] = join(folder, `${Object.keys(inputs).length}.gguf`);
    await writeSyntheticGguf(inputs[name], model);
  }
});
afterAll(async () => {
  await pool.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Types and metadata of a file written by llama.cpp, in order. */
async function described(path: string) {
  const { tensors, metadata, close } = await openGguf(path);
  await close();
  return { tensors: [...tensors.values()].map(({ name, dtype }) => `${name} ${dtype.name}`), metadata: [...metadata] };
}

const planned = ({ tensors, metadata }: Plan) => ({
  tensors: tensors.map(({ name, to }) => `${name} ${to.name}`),
  metadata: [...metadata],
});

/** llama_model_quantize takes numbers, so the keys that llama-quantize adds for their file are its own affair. */
function withoutImatrixKeys({ tensors, metadata }: { tensors: string[]; metadata: [string, unknown][] }) {
  return { tensors, metadata: metadata.filter(([key]) => !key.startsWith('quantize.imatrix.')) };
}

async function expectAsNative(name: string, fileType: string, importance?: Map<string, Float32Array>): Promise<void> {
  const native = join(folder, 'native.gguf');
  const model = await openGgufModel(inputs[name]!);
  try {
    const imatrix = importance && sourceOf(importance);
    const plan = planTypes(model, fileType, { imatrix });
    const refused = plan.totals.importance.needed > 0;
    const quantize = () =>
      nativeQuantizeModel(inputs[name]!, native, fileType as FileTypeName, { imatrix: importance });
    if (refused) {
      expect(quantize).toThrow();
      return;
    }
    quantize();
    expect(withoutImatrixKeys(planned(plan))).toEqual(await described(native));
    if (!wholeFiles.includes(name)) return;
    const ours = join(folder, 'ours.gguf');
    const keys = [...plan.metadata.keys()].filter((key) => key.startsWith('quantize.imatrix.'));
    for (const key of keys) plan.metadata.delete(key);
    await writeModel(model, plan, ours, { pool, force: true, imatrix });
    expect(readFileSync(ours).equals(readFileSync(native))).toBe(true);
  } finally {
    await model.close();
  }
}

const sourceOf = (importance: Map<string, Float32Array>): ImportanceSource => ({
  path: tinyLlama,
  datasets: [],
  chunkCount: 0,
  entries: importance,
  unknown: [],
  importanceOf: async (tensor) => ({ values: importance.get(tensor)!, neverFired: [] }),
  close: async () => {},
});

describe.skipIf(oracleUnavailable)('llama_model_quantize', () => {
  const natively = fileTypes.filter(({ name }) => name !== 'COPY');
  for (const name of Object.keys(synthetic)) {
    for (const { name: fileType } of natively) {
      if (/65B|qwen2|orion/.test(name) && !about70B.includes(fileType)) continue;
      // Types with blocks of 128 have no smaller ones to fall back to.
      if (fileType === 'Q1_0' && name.startsWith('rows of')) continue;
      test(`${name} to ${fileType}`, () => expectAsNative(name, fileType));
      test(`${name} to ${fileType}, with importance matrix`, () =>
        expectAsNative(name, fileType, syntheticImatrix(synthetic[name]!)));
    }
  }
});

describe.skipIf(oracleUnavailable)('llama_model_quantize of real models, byte for byte', () => {
  const real: Record<string, string> = { 'tiny-llama bf16': tinyLlama };
  for (const arch of ['llama-spm', 'llama3', 'mistral', 'qwen2', 'qwen3']) {
    for (const name of readdirSync(join(models, 'arch', arch)).filter((file) => file.startsWith('llama.cpp-'))) {
      if (!name.includes('q8_0')) real[`${arch} ${name.slice(10, -5)}`] = join(models, 'arch', arch, name);
    }
  }
  const native = () => join(folder, 'native.gguf');
  const ours = () => join(folder, 'ours.gguf');

  for (const [name, input] of Object.entries(real)) {
    for (const fileType of ['F32', 'F16', 'BF16', 'Q8_0', 'Q4_0', 'Q6_K', 'Q4_K_S', 'Q4_K_M']) {
      test(`${name} to ${fileType}`, async () => {
        nativeQuantizeModel(input, native(), fileType as FileTypeName);
        const model = await openGgufModel(input);
        await writeModel(model, planTypes(model, fileType), ours(), { pool, force: true });
        await model.close();
        expect(readFileSync(ours()).equals(readFileSync(native()))).toBe(true);
      });
    }
  }

  test.each(['Q4_K_M', 'Q6_K', 'F16'])('an input quantized already, to %s', async (fileType) => {
    const quantized = join(models, 'arch/llama3/llama.cpp-q8_0.gguf');
    nativeQuantizeModel(quantized, native(), fileType as FileTypeName, { allowRequantize: true });
    const model = await openGgufModel(quantized);
    await writeModel(model, planTypes(model, fileType, { allowRequantize: true }), ours(), { pool, force: true });
    await model.close();
    expect(readFileSync(ours()).equals(readFileSync(native()))).toBe(true);
  });
});
