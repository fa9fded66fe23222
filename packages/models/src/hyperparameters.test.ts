// Hyper-parameters of files that llama.cpp wrote, and what a damaged or foreign file meets.
import { fileURLToPath } from 'node:url';
import { type ModelView, openGgufModel } from '@quern/checkpoint';
import type { GgufValue } from '@quern/gguf';
import { afterEach, describe, expect, it } from 'vitest';
import { describeModel } from './describe.ts';
import { hyperparameters } from './hyperparameters.ts';
import { architectureOf } from './network-of.ts';

const golden = (name: string) =>
  fileURLToPath(new URL(`../../../test/models/arch/${name}/llama.cpp-bf16.gguf`, import.meta.url));
const opened: ModelView[] = [];
afterEach(async () => {
  for (const view of opened.splice(0)) await view.close();
});

/** A golden file with metadata laid over it; `undefined` deletes a key. */
async function changed(name: string, keys: Record<string, GgufValue | undefined> = {}): Promise<ModelView> {
  const view = await openGgufModel(golden(name));
  opened.push(view);
  const metadata = new Map(view.metadata);
  for (const [key, value] of Object.entries(keys)) {
    if (value) metadata.set(key, value);
    else metadata.delete(key);
  }
  return { ...view, metadata };
}

const u32 = (value: number): GgufValue => ({ type: 'uint32', value });
const text = (value: string): GgufValue => ({ type: 'string', value });

describe('hyperparameters', () => {
  it('reads llama', async () => {
    expect(hyperparameters(await changed('llama3'))).toMatchObject({
      architecture: 'llama',
      vocabSize: 512,
      contextLength: 256,
      embeddingLength: 64,
      blockCount: 4,
      feedForwardLength: 128,
      headCount: 4,
      headCountKv: 2,
      keyLength: 16,
      valueLength: 16,
      rmsEps: Math.fround(1e-5),
      ropeDimensionCount: 16,
      ropeFreqBase: 500000,
      ropeStyle: 'norm',
      qkNorm: false,
      attnBias: false,
    });
  });

  it('reads what qwen2 and qwen3 differ in', async () => {
    expect(hyperparameters(await changed('qwen2'))).toMatchObject({
      ropeStyle: 'neox',
      qkNorm: false,
      attnBias: true,
      keyLength: 16,
      ropeDimensionCount: 16,
    });
    expect(hyperparameters(await changed('qwen3'))).toMatchObject({
      ropeStyle: 'neox',
      qkNorm: true,
      attnBias: false,
      keyLength: 32,
      ropeDimensionCount: 32,
    });
  });

  it('reads rope scaling, also as old files write it', async () => {
    const linear = { type: 'linear', factor: 4 };
    expect(
      hyperparameters(await changed('llama3', { 'llama.rope.scale_linear': { type: 'float32', value: 4 } }))
        .ropeScaling,
    ).toMatchObject(linear);
    const keys = {
      'llama.rope.scaling.type': text('linear'),
      'llama.rope.scaling.factor': { type: 'float32', value: 4 } as const,
    };
    expect(hyperparameters(await changed('llama3', keys)).ropeScaling).toMatchObject(linear);
  });

  it('reads mixtures of experts', async () => {
    expect(hyperparameters(await changed('mixtral')).experts).toEqual({
      count: 4,
      used: 2,
      feedForwardLength: 128,
      sharedFeedForwardLength: 0,
      weightsOver: 'chosen',
    });
    const qwen2moe = { count: 4, used: 2, feedForwardLength: 64, sharedFeedForwardLength: 96, weightsOver: 'all' };
    expect(hyperparameters(await changed('qwen2moe')).experts).toEqual(qwen2moe);
    // Files from before the key: the width of a dense MLP, shared by the experts that a token uses.
    const old = await changed('qwen2moe', { 'qwen2moe.expert_feed_forward_length': undefined });
    expect(hyperparameters(old).experts).toEqual(qwen2moe);
    expect(hyperparameters(await changed('qwen3moe')).experts).toMatchObject({ count: 8, weightsOver: 'chosen' });
    expect(hyperparameters(await changed('llama3')).experts).toBeUndefined();
  });

  it.each<[string, string, Record<string, GgufValue | undefined>, string]>([
    ['more experts used than there are', 'mixtral', { 'llama.expert_used_count': u32(5) }, 'metadata-bad-value'],
    ['no experts used', 'mixtral', { 'llama.expert_used_count': u32(0) }, 'metadata-bad-value'],
    ['a billion experts', 'mixtral', { 'llama.expert_count': u32(1e9) }, 'metadata-bad-value'],
    ['an unknown router', 'qwen3moe', { 'qwen3moe.expert_gating_func': u32(5) }, 'metadata-bad-value'],
    ['groups that do not divide', 'qwen3moe', { 'qwen3moe.expert_group_count': u32(3) }, 'metadata-bad-value'],
    [
      'groups with too few experts',
      'qwen3moe',
      { 'qwen3moe.expert_group_count': u32(8), 'qwen3moe.expert_group_used_count': u32(1) },
      'metadata-bad-value',
    ],
    ['a mixture without experts', 'qwen3moe', { 'qwen3moe.expert_count': undefined }, 'unsupported-model'],
    ['experts of a dense architecture', 'qwen3', { 'qwen3.expert_count': u32(8) }, 'unsupported-model'],
  ])('refuses %s', async (_, name, keys, code) => {
    const view = await changed(name, keys);
    expect(() => hyperparameters(view)).toThrow(expect.objectContaining({ code, file: golden(name) }));
  });

  it('takes one number per layer when all are equal', async () => {
    const equal: GgufValue = { type: 'array', of: 'uint32', value: [2, 2, 2, 2] };
    expect(hyperparameters(await changed('llama3', { 'llama.attention.head_count_kv': equal })).headCountKv).toBe(2);
    const mixed: GgufValue = { type: 'array', of: 'uint32', value: [2, 2, 4, 2] };
    const view = await changed('llama3', { 'llama.attention.head_count_kv': mixed });
    expect(() => hyperparameters(view)).toThrow(expect.objectContaining({ code: 'unsupported-model' }));
  });

  it.each<[string, Record<string, GgufValue | undefined>, string]>([
    ['no architecture', { 'general.architecture': undefined }, 'metadata-missing'],
    ['an architecture that is a number', { 'general.architecture': u32(1) }, 'metadata-bad-type'],
    ['an unknown architecture', { 'general.architecture': text('foo') }, 'unknown-architecture'],
    ['no block count', { 'llama.block_count': undefined }, 'metadata-missing'],
    ['a block count that is text', { 'llama.block_count': text('4') }, 'metadata-bad-type'],
    ['no blocks', { 'llama.block_count': u32(0) }, 'metadata-bad-value'],
    ['four billion blocks', { 'llama.block_count': u32(0xffffffff) }, 'metadata-bad-value'],
    ['a negative width', { 'llama.embedding_length': { type: 'int32', value: -64 } }, 'metadata-bad-value'],
    ['a huge 64-bit width', { 'llama.embedding_length': { type: 'uint64', value: 2n ** 63n } }, 'metadata-bad-value'],
    ['heads that do not divide', { 'llama.attention.head_count_kv': u32(3) }, 'metadata-bad-value'],
    ['no kv heads', { 'llama.attention.head_count_kv': u32(0) }, 'metadata-bad-value'],
    [
      'an empty list of heads',
      { 'llama.attention.head_count': { type: 'array', of: 'uint32', value: [] } },
      'metadata-bad-value',
    ],
    ['rope over more than the head', { 'llama.rope.dimension_count': u32(18) }, 'metadata-bad-value'],
    ['rope over an odd number', { 'llama.rope.dimension_count': u32(15) }, 'metadata-bad-value'],
    ['no epsilon', { 'llama.attention.layer_norm_rms_epsilon': undefined }, 'metadata-missing'],
    [
      'an epsilon that is no number',
      { 'llama.attention.layer_norm_rms_epsilon': { type: 'float32', value: Number.NaN } },
      'metadata-bad-value',
    ],
    ['an unknown rope scaling', { 'llama.rope.scaling.type': text('spiral') }, 'metadata-bad-value'],
    ['experts of which none is used', { 'llama.expert_count': u32(8) }, 'metadata-missing'],
  ])('refuses %s', async (_, keys, code) => {
    const view = await changed('llama3', keys);
    expect(() => hyperparameters(view)).toThrow(expect.objectContaining({ code, file: golden('llama3') }));
  });
});

describe('architectureOf', () => {
  it('is the record of the table', async () => {
    expect(architectureOf(await changed('qwen3')).hf).toEqual(['Qwen3ForCausalLM']);
    expect(architectureOf(await changed('llama3')).hf).toContain('LlamaForCausalLM');
    expect(architectureOf(await changed('mixtral')).hf).toEqual(['MixtralForCausalLM']);
  });
});

describe('describeModel', () => {
  it('counts weights, bytes and the key-value cache', async () => {
    const { hyperparameters: _, ...description } = describeModel(await changed('llama3'));
    // 4 blocks; embeddings 512 × 64, the last norm 64, rope factors 8. Vectors are F32, the rest BF16.
    const vectors = 4 * 2 * 64 + 64 + 8;
    const matrices = 4 * (2 * 64 * 64 + 2 * 32 * 64 + 3 * 64 * 128) + 512 * 64;
    expect(description).toEqual({
      architecture: 'llama',
      parameters: vectors + matrices,
      tensorCount: 39,
      typeHistogram: {
        F32: { tensors: 10, parameters: vectors, bytes: 4 * vectors },
        BF16: { tensors: 29, parameters: matrices, bytes: 2 * matrices },
      },
      bitsPerWeight: (32 * vectors + 16 * matrices) / (vectors + matrices),
      dataBytes: 4 * vectors + 2 * matrices,
      // 4 layers × 2 KV heads × (16 + 16)
      kvBytesPerToken: { f32: 1024, f16: 512 },
      tokenizer: { model: 'gpt2', pre: 'llama-bpe', vocab: 512 },
      chatTemplate: false,
    });
  });
});
