// Files that quern writes, loaded and run by native llama.cpp: the same tokens must get the same distribution from both.
// llama.cpp rounds activations to 8 bits before it multiplies with quantized weights, and to bf16 before it multiplies
// with BF16 ones; quern does the former when asked to ('int8'). Files may differ by such rounding, plain ones may not.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openGgufModel } from '@quern/checkpoint';
import { planConversion, planTypes, writeModel } from '@quern/kquant';
import { type CacheTypes, openModel } from '@quern/models';
import { cpuDevice } from '@quern/runtime';
import { tokenizerFromGguf } from '@quern/tokenizer';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { meanDivergence, ourLogits } from './divergence.ts';
import { nativeLogits, nativeTokenize, oracleUnavailable } from './src/index.ts';

if (oracleUnavailable) console.log(`Skipping the comparison of logits with llama.cpp: ${oracleUnavailable}`);

const models = join(import.meta.dirname, '../models');
const text =
  'In the beginning God created the heaven and the earth. And the earth was without form, and void; and darkness was upon the face of the deep.';

type Activations = 'f32' | 'int8';

/** Of the file at `path`. */
async function logitsOf(path: string, ids: Int32Array, activations: Activations, type?: CacheTypes['k']) {
  const device = await cpuDevice({ threads: 1, activations });
  const view = await openModel(path);
  try {
    return await ourLogits(view, ids, device, type);
  } finally {
    await view.close();
    await device.dispose();
  }
}

describe.skipIf(oracleUnavailable)('logits of our files in llama.cpp', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'quern-logits-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Converts a checkpoint, by way of `type`. */
  async function convert(checkpoint: string, type: string): Promise<string> {
    const out = join(folder, `${checkpoint.replaceAll('/', '-')}-${type}.gguf`);
    const view = await openModel(join(models, checkpoint));
    const plain = ['F32', 'F16', 'BF16'].includes(type);
    const converted = planConversion(view, plain ? (type as 'F32') : 'auto');
    await writeModel(view, plain ? converted : planTypes(view, type, { converted }), out, { threads: 1, force: true });
    await view.close();
    return out;
  }

  /** The mean divergence of llama.cpp's logits for `nativePath` from ours for `path`, on the same tokens. */
  async function divergence(nativePath: string, path: string, activations: Activations = 'f32'): Promise<number> {
    const view = await openGgufModel(path);
    const ids = tokenizerFromGguf(view.metadata).encode(text, { addSpecial: true });
    await view.close();
    expect(Array.from(ids)).toEqual(nativeTokenize(path, text, { addSpecial: true }));
    const { logits, vocab } = await logitsOf(path, ids, activations);
    const mean = meanDivergence(nativeLogits(nativePath, Array.from(ids)), logits, vocab);
    expect(mean).toBeGreaterThan(-1e-9);
    return mean;
  }

  const randomModels = ['llama-spm', 'llama3', 'mistral', 'qwen2', 'qwen3', 'mixtral', 'qwen2moe', 'qwen3moe'];
  const everyModel = ['tiny-llama', 'tiny-qwen3-moe', ...randomModels.map((name) => `arch/${name}`)];
  const plain = everyModel.flatMap((model) => ['F32', 'F16'].map((type) => [model, type]));
  const rounding = everyModel.flatMap((model) =>
    ['BF16', 'Q8_0', 'Q6_K', 'Q4_K_M', 'Q4_0'].map((type) => [model, type]),
  );

  test.each(plain)('%s as %s', async (checkpoint, type) => {
    const path = await convert(checkpoint, type);
    expect(await divergence(path, path)).toBeLessThanOrEqual(1e-5);
  });

  // llama.cpp is given the same numbers unpacked to F32: nothing is left that may differ.
  test.each(rounding)('%s as %s, the weights unpacked for llama.cpp', async (checkpoint, type) => {
    const path = await convert(checkpoint, type);
    const unpacked = join(folder, 'unpacked.gguf');
    const view = await openGgufModel(path);
    await writeModel(view, planTypes(view, 'F32', { allowRequantize: true }), unpacked, { threads: 1, force: true });
    await view.close();
    expect(await divergence(unpacked, path)).toBeLessThanOrEqual(1e-5);
  });

  // Only for trained weights: random ones answer to a rounding of activations with arbitrary logits.
  test.each([
    ...['BF16', 'Q8_0', 'Q6_K', 'Q4_K_M', 'Q4_K_S', 'Q4_0', 'Q4_1', 'Q5_1', 'Q3_K_M', 'Q2_K', 'IQ4_NL', 'IQ4_XS'],
  ])('tiny-llama as %s, directly', async (type) => {
    const path = await convert('tiny-llama', type);
    const floats = await divergence(path, path);
    const bytes = await divergence(path, path, 'int8');
    const show = (mean: number) => mean.toExponential(2);
    console.log(`tiny-llama ${type}: mean KL divergence from llama.cpp ${show(floats)}, int8 ${show(bytes)}`);
    expect(floats).toBeLessThanOrEqual(1e-3);
    // Of these two llama.cpp rounds the sums of activations to F16 as well; here they are exact.
    expect(bytes).toBeLessThanOrEqual(['Q4_1', 'Q5_1'].includes(type) ? 2e-4 : 1e-4);
    expect(bytes).toBeLessThanOrEqual(floats);
  });

  // llama.cpp also rounds queries to F16 or, for quantized keys, to 8 bits: the distance that is left. Both turn keys and
  // values by a Hadamard matrix before they quantize them.
  const caches = [
    ['F16', 2e-7],
    ['Q8_0', 1.5e-5],
    ['Q4_0', 1.5e-4],
  ] as const;
  test.each(caches)('tiny-llama with a cache of %s', async (type, limit) => {
    const path = await convert('tiny-llama', 'F32');
    const view = await openGgufModel(path);
    const ids = tokenizerFromGguf(view.metadata).encode(text, { addSpecial: true });
    await view.close();
    const { logits, vocab } = await logitsOf(path, ids, 'f32', type);
    const native = (kvType: typeof type | 'F32') => nativeLogits(path, Array.from(ids), { kvType });
    const exactly = native('F32');
    const same = meanDivergence(native(type), logits, vocab);
    const exact = meanDivergence(exactly, logits, vocab);
    const theirs = meanDivergence(exactly, native(type), vocab);
    const show = (mean: number) => mean.toExponential(2);
    console.log(
      `cache of ${type}: mean KL divergence from llama.cpp's ${show(same)}, from its F32 cache ${show(exact)} (its own ${show(theirs)})`,
    );
    expect(same).toBeLessThan(limit);
    // Rounding the cache does more than what else is rounded, so the same rounding brings us nearer.
    if (type !== 'F16') expect(same).toBeLessThan(exact / 1.5);
  });
});
