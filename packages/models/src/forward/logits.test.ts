// The forward pass against transformers: recorded f32 logits of the same weights, from HF folders and from GGUF files.
import { readFileSync } from 'node:fs';
import { openGgufModel } from '@quern/checkpoint';
import type { GgufValue } from '@quern/gguf';
import { referenceDevice } from '@quern/runtime';
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
} from '../../../../test/golden/forward/recorded.ts';

const TOLERANCE = 1e-4; // f32 arithmetic in another order; measured: 2e-5
const device = referenceDevice();
afterAll(() => device.dispose());

const ggufs = [
  'llama-spm/llama.cpp-f32.gguf',
  'llama-spm/llama.cpp-bf16.gguf',
  'llama3/llama.cpp-f32.gguf',
  'llama3/llama.cpp-bf16.gguf',
  'mistral/llama.cpp-bf16.gguf',
  'qwen2/llama.cpp-bf16.gguf',
  'qwen3/llama.cpp-bf16.gguf',
];

describe('logits equal transformers', () => {
  for (const gguf of ggufs)
    it(gguf, async () => {
      const expected = `models/arch/${gguf.split('/')[0]}/expected.safetensors`;
      const { shape } = recordedTensor(expected, 'input_ids');
      const ids = recordedInts(expected, 'input_ids');
      const logits = recordedFloats(expected, 'logits');
      await withModel(await openGgufModel(testPath(`models/arch/${gguf}`)), device, {}, async (model) => {
        for (let row = 0; row < shape[0]; row++) {
          const ours = await allLogits(model, ids.slice(row * shape[1], (row + 1) * shape[1]));
          const theirs = logits.subarray(row * ours.length, (row + 1) * ours.length);

          expect(maxDifference(ours, theirs)).toBeLessThan(TOLERANCE);
        }
      });
    });
});

interface Variant {
  model: string;
  rows: number[];
  changes: { rope_parameters?: Record<string, number | string>; sliding_window?: number };
}

describe('variants of the network equal transformers', () => {
  const variants: Record<string, Variant> = JSON.parse(
    readFileSync(testPath('golden/data/forward/variants.json'), 'utf8'),
  );
  for (const [name, { model: base, rows, changes }] of Object.entries(variants))
    it(name, async () => {
      const view = await openWith(`models/arch/${base}/llama.cpp-bf16.gguf`, ggufKeys(base, changes));
      const ids = recordedInts(`models/arch/${base}/expected.safetensors`, 'input_ids').slice(0, 48);
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

/** The GGUF keys of the changed config keys (convert_hf_to_gguf.py writes these names). */
function ggufKeys(base: string, { rope_parameters: rope = {}, sliding_window }: Variant['changes']) {
  const prefix = base.startsWith('qwen') ? base : 'llama';
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
  if (sliding_window) keys[`${prefix}.attention.sliding_window`] = { type: 'uint32', value: sliding_window };
  return keys;
}
