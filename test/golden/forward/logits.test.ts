// The forward pass against transformers: recorded f32 logits of the same weights, from GGUF files of every type, and of
// variants of the network. Every architecture's own checkpoint is tested in architectures.test.ts.
import { readFileSync } from 'node:fs';
import { bf16ToF32, dtypeByName, f32ToBf16 } from '@quern/blocks';
import type { ModelView, TensorView } from '@quern/checkpoint';
import type { GgufValue } from '@quern/gguf';
import { hyperparameters, openModel } from '@quern/models';
import { cpuDevice, type Device, referenceDevice } from '@quern/runtime';
import { afterAll, describe, expect, it } from 'vitest';
import {
  allLogits,
  maxDifference,
  openWith,
  recordedFloats,
  recordedInts,
  recordedTensor,
  testPath,
  withModel,
} from './recorded.ts';

const TOLERANCE = 1e-4; // f32 arithmetic in another order; measured: 2e-5

const devices = [referenceDevice(), await cpuDevice({ threads: 2 })];
afterAll(() => Promise.all(devices.map((device) => device.dispose())));

/** Every position of every recorded text. */
async function expectRecorded(view: ModelView, device: Device, recorded: string): Promise<void> {
  const [texts, tokens] = recordedTensor(recorded, 'input_ids').shape;
  const ids = recordedInts(recorded, 'input_ids');
  const theirs = recordedFloats(recorded, 'logits');
  await withModel(view, device, {}, async (model) => {
    for (let text = 0; text < texts; text++) {
      const ours = await allLogits(model, ids.slice(text * tokens, (text + 1) * tokens));
      const rows = theirs.subarray(text * ours.length, (text + 1) * ours.length);
      expect(maxDifference(ours, rows)).toBeLessThan(TOLERANCE);
    }
  });
}

const architectures = ['llama-spm', 'llama3', 'mistral', 'qwen2', 'qwen3', 'mixtral', 'qwen2moe', 'qwen3moe'];
const archModels = [
  ...architectures.map((name) => `${name}/llama.cpp-bf16.gguf`),
  'llama-spm/llama.cpp-f32.gguf',
  'llama3/llama.cpp-f32.gguf',
  'llama-spm/llama.cpp-f16.gguf',
  'llama3/llama.cpp-f16.gguf',
];

describe.each(devices)('logits on the $name device equal transformers', (device) => {
  it.each(archModels)('%s', async (model) => {
    const recorded = `models/arch/${model.split('/')[0]}/expected.safetensors`;
    await expectRecorded(await openModel(testPath(`models/arch/${model}`)), device, recorded);
  });

  it.each(['', '/expected/llama.cpp-bf16.gguf'])('tiny-llama%s, its rope rounded as in the recording', async (path) => {
    const view = withBf16Rope(await openModel(testPath(`models/tiny-llama${path}`)));
    await expectRecorded(view, device, 'models/tiny-llama/expected/logits.safetensors');
  });
});

/**
 * tiny-llama/expected/logits.safetensors was recorded from a model that had been cast to bf16, its table of inverse rope
 * frequencies included: with plain f32 frequencies transformers itself differs from it by 0.012 (the variant `unchanged`
 * holds that result). The divisors of `rope_freqs.weight` can say the same.
 */
function withBf16Rope(view: ModelView): ModelView {
  const { ropeFreqBase: base, ropeDimensionCount: dimensions } = hyperparameters(view);
  const frequencies = Float32Array.from({ length: dimensions / 2 }, (_, i) => base ** ((-2 * i) / dimensions));
  const divisors = frequencies.map((frequency) => frequency / bf16ToF32(f32ToBf16(frequency)));
  const bytes = new Uint8Array(divisors.buffer);
  const rope: TensorView = {
    name: 'rope_freqs.weight',
    dtype: dtypeByName('F32'),
    shape: [divisors.length],
    rows: 1,
    cols: divisors.length,
    rowBytes: bytes.length,
    file: 'made by the test',
    offset: 0,
    readRows: async (_first, _count, into) => into.set(bytes),
  };
  const tensors = new Map([...view.tensors, [rope.name, rope]]);
  return { path: view.path, metadata: view.metadata, tensors, close: () => view.close() };
}

interface Variant {
  model: string;
  rows: number[];
  changes: {
    rope_parameters?: Record<string, number | string>;
    sliding_window?: number;
    num_experts_per_tok?: number;
  };
}
const variants: Record<string, Variant> = JSON.parse(
  readFileSync(testPath('golden/data/forward/variants.json'), 'utf8'),
);

describe.each(devices)('variants of the network on the $name device equal transformers', (device) => {
  it.each(Object.entries(variants))('%s', async (name, { model: base, rows, changes }) => {
    const view = await openWith(`models/${base}`, ggufKeys(base, changes));
    const ids = recordedInts(recordedIds(base), 'input_ids').slice(0, 48);
    const ours = await withModel(view, device, {}, (model) => allLogits(model, ids));
    const theirs = recordedFloats('golden/data/forward/variants.safetensors', name);
    const vocab = theirs.length / rows.length;
    for (const [i, row] of rows.entries()) {
      const difference = maxDifference(
        ours.subarray(row * vocab, (row + 1) * vocab),
        theirs.subarray(i * vocab, (i + 1) * vocab),
      );
      expect(difference, `row ${row}`).toBeLessThan(TOLERANCE);
    }
  });
});

const recordedIds = (base: string) =>
  `models/${base}/${base.startsWith('tiny-') ? 'expected/logits' : 'expected'}.safetensors`;

/** The GGUF keys of the changed config keys (convert_hf_to_gguf.py writes these names). */
function ggufKeys(base: string, { rope_parameters: rope = {}, ...sizes }: Variant['changes']) {
  const prefix = base.startsWith('arch/qwen') ? base.slice(5) : 'llama';
  const names: Record<string, string> = {
    rope_theta: 'rope.freq_base',
    rope_type: 'rope.scaling.type',
    factor: 'rope.scaling.factor',
    original_max_position_embeddings: 'rope.scaling.original_context_length',
    attention_factor: 'rope.scaling.yarn_attn_factor',
    beta_fast: 'rope.scaling.yarn_beta_fast',
    beta_slow: 'rope.scaling.yarn_beta_slow',
  };
  const keys: Record<string, GgufValue> = {};
  for (const [key, value] of Object.entries(rope))
    keys[`${prefix}.${names[key]}`] =
      typeof value === 'string'
        ? { type: 'string', value }
        : { type: key.startsWith('original') ? 'uint32' : 'float32', value };
  const { sliding_window: window, num_experts_per_tok: used } = sizes;
  if (window) keys[`${prefix}.attention.sliding_window`] = { type: 'uint32', value: window };
  if (used) keys[`${prefix}.expert_used_count`] = { type: 'uint32', value: used };
  return keys;
}
