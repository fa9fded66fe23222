// GGUF files of llama.cpp's converter seen as checkpoints, against the checkpoints they were converted from: config.json
// and weights that transformers wrote. What cannot be said is refused by name.
import { fileURLToPath } from 'node:url';
import { dtypeByName } from '@quern/blocks';
import { type ModelView, openGgufModel, openHfCheckpoint, type TensorView } from '@quern/checkpoint';
import type { GgufValue } from '@quern/gguf';
import { afterEach, describe, expect, test } from 'vitest';
import { closeChanged, view as lensView } from '../testing/changed-checkpoint.ts';
import { huggingFaceOf } from './hugging-face-of.ts';

const models = fileURLToPath(new URL('../../../../test/models/', import.meta.url));
const archs = ['llama-spm', 'llama3', 'mistral', 'mixtral', 'qwen2', 'qwen2moe', 'qwen3', 'qwen3moe'];
const checkpointOf = (name: string) => (name === 'tiny-llama' ? `${models}tiny-llama` : `${models}arch/${name}`);
const ggufOf = (name: string) => `${checkpointOf(name)}/${name === 'tiny-llama' ? 'expected/' : ''}llama.cpp-bf16.gguf`;

const opened: ModelView[] = [];
afterEach(async () => {
  for (const view of opened.splice(0)) await view.close();
  await closeChanged();
});

interface Change {
  metadata?: Record<string, GgufValue | undefined>;
  tensors?: (tensors: Map<string, TensorView>) => void;
}

async function changed(name: string, { metadata: changes = {}, tensors: change }: Change = {}): Promise<ModelView> {
  const view = await openGgufModel(ggufOf(name));
  opened.push(view);
  const metadata = new Map(view.metadata);
  for (const [key, value] of Object.entries(changes)) {
    if (value) metadata.set(key, value);
    else metadata.delete(key);
  }
  const tensors = new Map(view.tensors);
  change?.(tensors);
  return { ...view, metadata, tensors };
}

const uint = (value: number): GgufValue => ({ type: 'uint32', value });
const float = (value: number): GgufValue => ({ type: 'float32', value: Math.fround(value) });

/** Values of a tensor of plain numbers. */
async function valuesOf(tensor: TensorView): Promise<Float32Array> {
  const bytes = new Uint8Array(tensor.rows * tensor.rowBytes);
  await tensor.readRows(0, tensor.rows, bytes);
  if (tensor.dtype === dtypeByName('F32')) return new Float32Array(bytes.buffer);
  // BF16 is the upper half of a float32.
  const halves = new Uint16Array(bytes.buffer);
  return new Float32Array(Uint32Array.from(halves, (half) => half << 16).buffer);
}

/** What transformers writes beside what a file of the class needs. */
const without = (config: Readonly<Record<string, unknown>>, keys: readonly string[]) =>
  Object.fromEntries(Object.entries(config).filter(([key, value]) => !keys.includes(key) && value !== null));

describe.each([...archs, 'tiny-llama'])('%s', (name) => {
  test('config.json says what the original says', async () => {
    const { config } = await huggingFaceOf(await changed(name), 'BF16');
    const checkpoint = await openHfCheckpoint(checkpointOf(name));
    await checkpoint.close();
    const original = checkpoint.config;
    const shared = Object.keys(original).filter((key) => key in config);
    for (const key of shared) {
      if (key === 'pad_token_id' || (name === 'mistral' && ['architectures', 'model_type'].includes(key))) continue;
      // `partial_rotary_factor` 1 is what its absence means.
      const clean = (value: unknown) =>
        key === 'rope_parameters' ? without(value as never, ['partial_rotary_factor']) : value;
      expect(clean(config[key]), key).toEqual(clean(original[key]));
    }
    expect(shared.length).toBeGreaterThan(15);
  });

  test('weights are those of the checkpoint, under its names', async () => {
    const { tensors } = await huggingFaceOf(await changed(name), 'BF16');
    const original = await openHfCheckpoint(checkpointOf(name));
    expect([...tensors.keys()].sort()).toEqual([...original.tensors.keys()].sort());
    for (const [key, tensor] of original.tensors) {
      expect(tensors.get(key)!.shape, key).toEqual(tensor.shape);
      const [ours, theirs] = [await valuesOf(tensors.get(key)!), await valuesOf(tensor)];
      expect(Buffer.compare(new Uint8Array(ours.buffer), new Uint8Array(theirs.buffer)), key).toBe(0);
    }
    await original.close();
  });
});

test('Mistral without a window computes what Llama computes, and becomes that', async () => {
  const { config } = await huggingFaceOf(await changed('mistral'), 'F16');
  expect(config).toMatchObject({ architectures: ['LlamaForCausalLM'], model_type: 'llama', dtype: 'float16' });
});

test('with a window it becomes Mistral', async () => {
  const metadata = { 'llama.attention.sliding_window': uint(64) };
  const { config } = await huggingFaceOf(await changed('mistral', { metadata }), 'BF16');
  expect(config).toMatchObject({ architectures: ['MistralForCausalLM'], model_type: 'mistral', sliding_window: 64 });
});

describe('rope settings come back', () => {
  test.each<[string, string, Record<string, unknown>]>([
    ['linear', 'qwen2', { rope_type: 'linear', rope_theta: 1e6, factor: 2.5 }],
    [
      'yarn',
      'qwen3',
      { rope_type: 'yarn', rope_theta: 5e6, factor: 4, original_max_position_embeddings: 64, beta_fast: 16 },
    ],
    ['yarn with its factor', 'llama-spm', { rope_type: 'yarn', rope_theta: 10000, factor: 8, attention_factor: 1.2 }],
    [
      'llama3 of Llama 3.2',
      'llama3',
      {
        rope_type: 'llama3',
        rope_theta: 500000,
        factor: 32,
        low_freq_factor: 1,
        high_freq_factor: 4,
        original_max_position_embeddings: 8192,
      },
    ],
  ])('%s', async (_, model, rope) => {
    const config = {
      rope_parameters: rope,
      max_position_embeddings: 131072,
    };
    const view = await lensView({ model, config, readable: true });
    const { config: back } = await huggingFaceOf(view, 'BF16');
    expect(back.rope_parameters).toMatchObject(rope);
    expect(back.rope_theta).toBe(rope.rope_theta);
  });

  test('factors that no settings give are refused', async () => {
    const tensors = (all: Map<string, TensorView>) => {
      const factors = all.get('rope_freqs.weight')!;
      all.set('rope_freqs.weight', {
        ...factors,
        async readRows(first, count, into) {
          await factors.readRows(first, count, into);
          // A tenth of the mantissa of one factor.
          into[6]! ^= 0x10;
        },
      });
    };
    const view = await changed('llama3', { tensors });
    await expect(huggingFaceOf(view, 'BF16')).rejects.toMatchObject({
      code: 'unsupported-rope',
      tensor: 'rope_freqs.weight',
    });
  });
});

describe('refused before a weight is read', () => {
  test.each<[string, string, Change, string, RegExp]>([
    [
      'an unknown architecture',
      'qwen3',
      { metadata: { 'general.architecture': { type: 'string', value: 'mamba' } } },
      'unknown-architecture',
      /mamba/,
    ],
    [
      'a missing tensor',
      'qwen3',
      { tensors: (all) => all.delete('blk.2.attn_k_norm.weight') },
      'tensors-missing',
      /blk\.2\.attn_k_norm\.weight/,
    ],
    [
      'a tensor without a place',
      'llama-spm',
      { tensors: (all) => all.set('blk.0.attn_sinks.weight', all.get('blk.0.attn_norm.weight')!) },
      'tensors-unexpected',
      /blk\.0\.attn_sinks\.weight/,
    ],
    [
      'a tensor of another shape',
      'llama-spm',
      { tensors: (all) => all.set('blk.0.ffn_up.weight', all.get('blk.0.attn_q.weight')!) },
      'tensors-wrong-shape',
      /\[64,64\], the metadata make it \[128,64\]/,
    ],
    [
      'more blocks than tensors',
      'llama-spm',
      { metadata: { 'llama.block_count': uint(4000) } },
      'tensors-missing',
      /4000/,
    ],
    [
      'biases on some of the blocks',
      'llama-spm',
      {
        tensors: (all) => all.set('blk.1.attn_q.bias', { ...all.get('blk.1.attn_norm.weight')! }),
      },
      'tensors-missing',
      /blk\.0\.attn_q\.bias/,
    ],
    [
      'heads that rotate in part',
      'llama-spm',
      { metadata: { 'llama.rope.dimension_count': uint(8) } },
      'export-differs',
      /ropeDimensionCount 8 \(it would be 16\)/,
    ],
    [
      'an attention factor that no class has',
      'qwen2',
      {
        metadata: {
          'qwen2.rope.scaling.type': { type: 'string', value: 'linear' },
          'qwen2.rope.scaling.factor': float(2),
          'qwen2.rope.scaling.attn_factor': float(1.5),
        },
      },
      'export-differs',
      /ropeScaling\.attnFactor 1\.5/,
    ],
    [
      'an unknown pre-tokenizer',
      'qwen2',
      { metadata: { 'tokenizer.ggml.pre': { type: 'string', value: 'mine' } } },
      'pre-tokenizer-unknown',
      /mine/,
    ],
    ['no tokenizer', 'qwen2', { metadata: { 'tokenizer.ggml.model': undefined } }, 'tokenizer-model-missing', /./],
  ])('%s', async (_, name, change, code, text) => {
    const noReading = (all: Map<string, TensorView>) => {
      change.tensors?.(all);
      for (const [key, tensor] of all)
        all.set(key, { ...tensor, readRows: () => Promise.reject(new Error('weights were read')) });
    };
    const view = await changed(name, { ...change, tensors: noReading });
    const error = await huggingFaceOf(view, 'BF16').catch((found) => found);
    expect(error).toMatchObject({ code });
    expect(error.message).toMatch(text);
  });
});

test('metadata without a place are told', async () => {
  const metadata = { 'qwen2.attention.scale': float(0.5) };
  const { notes } = await huggingFaceOf(await changed('qwen2', { metadata }), 'BF16');
  expect(notes).toEqual([expect.stringContaining('qwen2.attention.scale')]);
});
