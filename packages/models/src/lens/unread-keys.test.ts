// Keys of config.json that no record reads, wrappers, draft blocks, and values that contradict each other.
import type { TensorView } from '@quern/checkpoint';
import { afterEach, describe, expect, it } from 'vitest';
import { type Change, closeChanged, refusal, view } from '../testing/changed-checkpoint.ts';

afterEach(closeChanged);

describe('a key that nobody reads', () => {
  it.each<[string, Change, RegExp]>([
    ['a number', { config: { logit_scale: 0.25 } }, /"logit_scale": 0\.25/],
    [
      'a misspelt one, with the nearest',
      { config: { num_key_value_headz: 2 } },
      /"num_key_value_headz": 2 \(known: "num_key_value_heads"\)/,
    ],
    ['of another architecture', { config: { final_logit_softcapping: 30 } }, /final_logit_softcapping/],
    [
      'among the rope parameters',
      { config: { rope_parameters: { rope_theta: 1e4, rope_type: 'default', twist: 2 } } },
      /"rope_parameters\.twist": 2/,
    ],
    ['a switch that is on', { config: { use_qk_norm: true } }, /use_qk_norm/],
  ])('is refused: %s', async (_, change, text) => {
    expect(await refusal(change)).toEqual({ code: 'config-key-unknown', text: expect.stringMatching(text) });
  });

  // Llama 3.1 8B, Mistral 7B, Qwen 2.5, and what Unsloth, peft and old versions of transformers add.
  it.each<[string, Record<string, unknown>]>([
    [
      'llama-spm',
      {
        _name_or_path: 'x',
        torch_dtype: 'bfloat16',
        pretraining_tp: 1,
        auto_map: { AutoModel: 'x' },
        use_cache: false,
      },
    ],
    [
      'llama-spm',
      { unsloth_fixed: true, unsloth_version: '2025.1', do_sample: true, temperature: 0.6, id2label: { 0: 'a' } },
    ],
    ['mistral', { sliding_window: 4096, attention_dropout: 0.1, router_jitter_noise: 0.1 }],
    ['qwen2', { sliding_window: 131072, max_window_layers: 21, use_sliding_window: false, use_mrope: false }],
    ['qwen2', { a_new_switch: false, a_new_number: 0, a_new_list: [], a_new_object: {}, a_new_null: null }],
  ])('is no matter where it says nothing: %s', async (model, config) => {
    await view({ model, config });
  });
});

describe('contradictions and hostile values', () => {
  it.each<[string, Change, string, RegExp]>([
    [
      'two dialects of rope that disagree',
      { config: { rope_scaling: { rope_type: 'linear', factor: 2 } } },
      'config-bad-value',
      /"rope_parameters" say "default" and "rope_scaling" says "linear"/,
    ],
    ['two bases', { config: { rope_theta: 5e5 } }, 'config-bad-value', /"rope_theta" is 10000 .* and 500000/],
    [
      'a layer list of another length',
      { model: 'qwen35', config: { layer_types: ['full_attention'] } },
      'config-bad-value',
      /1 entries for 4 layers/,
    ],
    [
      'an unknown kind of layer',
      { model: 'qwen35', config: { layer_types: Array(4).fill('spiral') } },
      'config-bad-value',
      /"spiral"/,
    ],
    ['no heads', { config: { num_attention_heads: 0 } }, 'config-bad-value', /"num_attention_heads" is 0/],
    [
      'too many draft blocks',
      { model: 'qwen35', config: { mtp_num_hidden_layers: 1e9 } },
      'config-bad-value',
      /1000000000/,
    ],
    [
      'a part of a head above the whole',
      { model: 'qwen35', config: { rope_parameters: { rope_theta: 1e7, partial_rotary_factor: 2 } } },
      'config-bad-value',
      /partial_rotary_factor/,
    ],
    [
      'other layers without positions',
      { model: 'smollm3', config: { no_rope_layers: [1, 0, 1, 1] } },
      'unsupported-config',
      /no_rope_layers/,
    ],
  ])('%s', async (_, change, code, text) => {
    expect(await refusal(change)).toEqual({ code, text: expect.stringMatching(text) });
  });
});

describe('a wrapper', () => {
  const wrapper = 'qwen35-vl-wrapper';

  it('gives its text model; what is left out is counted and named', async () => {
    const { tensors, notes } = await view({ model: wrapper });
    expect(tensors.size).toBe(70);
    expect(notes).toEqual([
      expect.stringMatching(/^left out, the vision tower: 21 tensors with \d+ weights, the first model\.visual\./),
      expect.stringMatching(/vision_config/),
    ]);
  });

  it('without a text model is refused', async () => {
    const tensors = (all: Map<string, TensorView>) => {
      for (const name of [...all.keys()]) if (!name.includes('visual')) all.delete(name);
    };
    expect(await refusal({ model: wrapper, tensors })).toMatchObject({ code: 'tensors-missing' });
    expect(await refusal({ model: wrapper, config: { text_config: undefined } })).toMatchObject({
      code: 'config-missing',
    });
  });

  it('is tied when either level says so', async () => {
    expect(
      (await view({ model: wrapper, config: { tie_word_embeddings: undefined } })).tensors.has('output.weight'),
    ).toBe(false);
  });
});

describe('draft blocks', () => {
  const keys = (model: Awaited<ReturnType<typeof view>>) =>
    ['block_count', 'nextn_predict_layers'].map((key) => model.metadata.get(`qwen35.${key}`)?.value);

  it('are the last ones', async () => {
    const model = await view({ model: 'qwen35' });
    expect(keys(model)).toEqual([5, 1]);
    expect(model.tensors.has('blk.4.nextn.eh_proj.weight')).toBe(true);
  });

  it('are none where the checkpoint has none, whatever config.json promises', async () => {
    const tensors = (all: Map<string, TensorView>) => {
      for (const name of [...all.keys()]) if (name.startsWith('mtp.')) all.delete(name);
    };
    expect(keys(await view({ model: 'qwen35', tensors }))).toEqual([4, undefined]);
  });

  it('may be dropped, or be all that is wanted', async () => {
    const dropped = await view({ model: 'qwen35', options: { draft: 'drop' } });
    expect(keys(dropped)).toEqual([4, undefined]);
    expect(dropped.notes).toEqual([
      expect.stringMatching(/left out, as asked: 15 tensors of draft blocks, the first mtp\./),
    ]);
    const only = await view({ model: 'qwen35', options: { draft: 'only' } });
    expect(keys(only)).toEqual([5, 1]);
    expect([...only.tensors.keys()].filter((name) => !name.startsWith('blk.4.'))).toEqual([
      'output.weight',
      'token_embd.weight',
      'output_norm.weight',
    ]);
    expect(await refusal({ model: 'qwen3', options: { draft: 'only' } })).toMatchObject({ code: 'config-bad-value' });
  });
});
