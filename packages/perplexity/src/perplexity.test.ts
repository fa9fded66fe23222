// Perplexity on the device against perplexity computed here from transformers' recorded logits: two texts of 48 tokens,
// which are two chunks of that context.
import { join } from 'node:path';
import { openGgufModel } from '@quern/checkpoint';
import { hyperparameters, type LoadOptions, loadModel } from '@quern/models';
import { cpuDevice } from '@quern/runtime';
import { openSafetensors } from '@quern/safetensors';
import { openFile } from '@quern/source';
import { tokenizerFromGguf } from '@quern/tokenizer';
import { beforeAll, describe, expect, it } from 'vitest';
import { perplexityLoadOptions } from './model-run.ts';
import { type PerplexityOptions, perplexity } from './perplexity.ts';
import { perplexityTokens } from './windows/text-tokens.ts';
import { profileNamed } from './windows/window-plan.ts';

const folder = join(import.meta.dirname, '../../../test/models/arch/llama3');
const tinyLlama = join(import.meta.dirname, '../../../test/models/tiny-llama/expected');
const contextTokens = 48;

let ids: Int32Array;
let recorded: Float32Array; // [2, 48, vocab]

beforeAll(async () => {
  const source = await openFile(join(folder, 'expected.safetensors'));
  const { tensors } = await openSafetensors(source);
  const bytes = async (name: string) => {
    const { begin, end } = tensors.get(name)!;
    return (await source.read(begin, end - begin)).slice().buffer;
  };
  ids = new Int32Array(await bytes('input_ids'));
  recorded = new Float32Array(await bytes('logits'));
  await source.close();
});

async function measure(load: LoadOptions, options: Partial<PerplexityOptions> = {}) {
  const view = await openGgufModel(join(folder, 'llama.cpp-bf16.gguf'));
  const device = await cpuDevice({ threads: 1 });
  try {
    const model = await loadModel(view, device, load);
    return await perplexity(model, ids, { contextTokens, ...options });
  } finally {
    await device.dispose();
    await view.close();
  }
}

/** The method in its plainest form, in f64. */
function fromLogits(logits: Float32Array, firstTarget = contextTokens / 2 + 1): { ppl: number; error: number } {
  const vocab = logits.length / ids.length;
  const nll: number[] = [];
  for (let chunk = 0; chunk < ids.length; chunk += contextTokens) {
    for (let target = firstTarget; target < contextTokens; target++) {
      const row = logits.subarray((chunk + target - 1) * vocab, (chunk + target) * vocab);
      const sum = row.reduce((total, logit) => total + Math.exp(logit), 0);
      nll.push(Math.log(sum) - row[ids[chunk + target]!]!);
    }
  }
  const mean = nll.reduce((a, b) => a + b) / nll.length;
  const variance = nll.reduce((total, value) => total + (value - mean) ** 2, 0) / nll.length;
  const ppl = Math.exp(mean);
  return { ppl, error: ppl * Math.sqrt(variance / (nll.length - 1)) };
}

describe('perplexity', () => {
  it('equals the perplexity of the logits that transformers computes', async () => {
    const result = await measure(perplexityLoadOptions(512, contextTokens));
    const expected = fromLogits(recorded);
    expect(result.ppl / expected.ppl).toBeCloseTo(1, 6);
    expect(result.error / expected.error).toBeCloseTo(1, 6);
    expect(result).toMatchObject({ windows: 2, tokensScored: 46 });
  });

  it('scores all but the first token of each window under the profile of the papers', async () => {
    const result = await measure(perplexityLoadOptions(512, contextTokens), { profile: profileNamed('paper-2048') });
    const expected = fromLogits(recorded, 1);
    expect(result.ppl / expected.ppl).toBeCloseTo(1, 6);
    expect(result.error / expected.error).toBeCloseTo(1, 6);
    expect(result).toMatchObject({ windows: 2, tokensScored: 94 });
  });

  it('does not depend on how small the batches and the logits buffer are', async () => {
    const whole = await measure(perplexityLoadOptions(512, contextTokens));
    const pieces = await measure({ batchTokens: 13, cells: contextTokens, maxOutputs: 5 });
    expect(pieces.nllMean).toBeCloseTo(whole.nllMean, 6);
  });

  it('reports after every window and stops when told to', async () => {
    const seen: number[] = [];
    const abort = new AbortController();
    const run = measure(perplexityLoadOptions(512, contextTokens), {
      signal: abort.signal,
      onWindow: ({ windowsDone }) => {
        seen.push(windowsDone);
        abort.abort(new Error('enough'));
      },
    });
    await expect(run).rejects.toThrow('enough');
    expect(seen).toEqual([1]);
  });

  it('refuses a cache that is too small', async () => {
    await expect(measure({ batchTokens: 16, cells: 32 })).rejects.toMatchObject({ code: 'perplexity-cache-too-small' });
  });

  it('keeps the logits of a large vocabulary within the budget', () => {
    const { maxOutputs = 0 } = perplexityLoadOptions(256_000, 512);
    expect(maxOutputs * 256_000 * 4).toBeLessThanOrEqual(64 * 2 ** 20);
    expect(maxOutputs).toBeGreaterThan(32);
  });
});

describe('perplexityTokens', () => {
  it('drops one newline at the end and keeps the rest', async () => {
    const view = await openGgufModel(join(tinyLlama, 'llama.cpp-bf16.gguf'));
    const tokenizer = tokenizerFromGguf(view.metadata);
    const tokens = (text: string) => perplexityTokens(tokenizer, new TextEncoder().encode(text), 'text');
    expect(tokens('One\n')).toEqual(tokens('One'));
    expect(tokens('One\n\n').length).toBeGreaterThan(tokens('One\n').length);
    expect(tokens('One')[0]).toBe(tokenizer.bos);
    expect(tokens('<|im_end|>').length).toBeGreaterThan(2);
    expect(hyperparameters(view).vocabSize).toBe(tokenizer.vocabSize);
    await view.close();
  });
});

it('names the part of the network that gives NaN', async () => {
  const view = await openGgufModel(join(folder, 'llama.cpp-bf16.gguf'));
  const name = 'blk.1.ffn_up.weight';
  const tensor = view.tensors.get(name)!;
  const readRows = async (first: number, count: number, into: Uint8Array) => {
    await tensor.readRows(first, count, into);
    if (first === 0) into.fill(0xff, 0, tensor.dtype.typeSize);
  };
  const tensors = new Map(view.tensors).set(name, { ...tensor, readRows });
  const device = await cpuDevice({ threads: 1 });
  const damaged = { path: view.path, metadata: view.metadata, tensors, close: () => view.close() };
  const model = await loadModel(damaged, device, perplexityLoadOptions(512, contextTokens));
  await expect(perplexity(model, ids, { contextTokens })).rejects.toMatchObject({
    code: 'perplexity-not-finite',
    message: expect.stringMatching(/position 24 of the window; they first appear in the feed-forward of blk\.1\.$/),
  });
  await device.dispose();
  await view.close();
});
