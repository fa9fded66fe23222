// What the lens refuses, each with every offender named, before any tensor data is read. What it accepts is compared with
// llama.cpp's converter in test/golden/convert-metadata.test.ts.
import { dtypeByName } from '@quern/blocks';
import type { TensorView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { hyperparameters } from '../hyperparameters.ts';
import { type Change, closeChanged, refusal, view } from '../testing/changed-checkpoint.ts';

afterEach(closeChanged);

const q0 = 'model.layers.0.self_attn.q_proj.weight';
const k1 = 'model.layers.1.self_attn.k_proj.weight';

describe('config.json', () => {
  it.each<[string, Change, string, RegExp]>([
    [
      'an unknown class',
      { config: { architectures: ['FooForCausalLM'] } },
      'unknown-architecture',
      /FooForCausalLM.*LlamaForCausalLM.*Qwen3ForCausalLM/,
    ],
    ['no class', { config: { architectures: undefined, model_type: undefined } }, 'config-missing', /architectures/],
    ['a class that is no list', { config: { architectures: 'LlamaForCausalLM' } }, 'config-missing', /architectures/],
    [
      'missing sizes',
      { config: { hidden_size: undefined, num_hidden_layers: null } },
      'config-missing',
      /"num_hidden_layers", "hidden_size"/,
    ],
    ['no vocabulary size', { model: 'qwen2', config: { vocab_size: undefined } }, 'config-missing', /vocab_size/],
    [
      'negative and text sizes',
      { config: { hidden_size: -64, intermediate_size: '128' } },
      'config-bad-value',
      /"hidden_size" is -64.*"intermediate_size" is "128"/,
    ],
    ['a fraction of a layer', { config: { num_hidden_layers: 3.5 } }, 'config-bad-value', /3\.5/],
    ['a size beyond all machines', { config: { vocab_size: 1e12 } }, 'config-bad-value', /vocab_size/],
    ['more layers than any model has', { config: { num_hidden_layers: 1e9 } }, 'config-bad-value', /num_hidden_layers/],
    ['heads that do not divide', { config: { num_key_value_heads: 3 } }, 'config-bad-value', /3 "num_key_value_heads"/],
    [
      'heads that do not divide the width',
      { model: 'qwen2', config: { num_attention_heads: 10 } },
      'config-bad-value',
      /10 "num_attention_heads"/,
    ],
    ['an odd head size', { config: { head_dim: 15 } }, 'config-bad-value', /15/],
    [
      'quantized weights',
      { config: { quantization_config: { quant_method: 'awq' } } },
      'unsupported-config',
      /quantization_config.*awq/,
    ],
    [
      'several unsupported features',
      { config: { hidden_act: 'gelu', mlp_bias: true } },
      'unsupported-config',
      /hidden_act.*gelu.*mlp_bias/,
    ],
    [
      'biases that GGUF has no place for',
      { model: 'qwen3', config: { attention_bias: true } },
      'unsupported-config',
      /attention_bias/,
    ],
    [
      'a window in some layers',
      { model: 'qwen2', config: { use_sliding_window: true } },
      'unsupported-config',
      /use_sliding_window/,
    ],
    [
      'layers of other types',
      { model: 'qwen3', config: { layer_types: [...Array(3).fill('full_attention'), 'sliding_attention'] } },
      'unsupported-config',
      /sliding_attention/,
    ],
  ])('is refused with %s', async (_, change, code, text) => {
    expect(await refusal(change)).toEqual({ code, text: expect.stringMatching(text) });
  });

  it('may leave out what transformers knows by default', async () => {
    const { metadata } = await view({
      model: 'llama3',
      config: {
        num_key_value_heads: 2,
        head_dim: undefined,
        rms_norm_eps: undefined,
        max_position_embeddings: undefined,
      },
    });
    expect(metadata.get('llama.attention.layer_norm_rms_epsilon')?.value).toBe(Math.fround(1e-6));
    expect(metadata.get('llama.context_length')?.value).toBe(2048);
    expect(metadata.get('llama.attention.key_length')?.value).toBe(16);
  });
});

describe('any config.json', () => {
  const keys = [
    'architectures',
    'rope_parameters',
    'rope_scaling',
    'rope_theta',
    'sliding_window',
    'layer_types',
  ].concat(
    ['tie_word_embeddings', 'attention_bias', 'quantization_config', 'hidden_act', 'original_max_position_embeddings'],
    ['num_hidden_layers', 'hidden_size', 'head_dim', 'num_attention_heads', 'num_key_value_heads', 'intermediate_size'],
    ['vocab_size', 'max_position_embeddings', 'rms_norm_eps'],
    ['num_experts', 'num_local_experts', 'num_experts_per_tok', 'moe_intermediate_size', 'mlp_only_layers'],
  );
  const rope = fc.dictionary(
    fc.constantFrom('rope_type', 'type', 'factor', 'low_freq_factor', 'high_freq_factor', 'rope_theta', 'beta_fast'),
    fc.oneof(fc.constantFrom('llama3', 'yarn', 'linear', 'default'), fc.double(), fc.jsonValue()),
  );
  const value = fc.oneof(fc.jsonValue(), fc.double(), fc.integer(), rope);

  it.each(['llama3', 'mistral', 'qwen2', 'qwen3', 'mixtral', 'qwen2moe', 'qwen3moe'])(
    'laid over that of %s gives a model or a QuernError',
    async (model) => {
      await fc.assert(
        fc.asyncProperty(fc.dictionary(fc.constantFrom(...keys), value, { maxKeys: 3 }), async (config) => {
          const error = await view({ model, config })
            .then(hyperparameters)
            .catch((caught) => caught);
          if (error instanceof Error) expect(error).toBeInstanceOf(QuernError);
          await closeChanged();
        }),
        { numRuns: 150 },
      );
    },
  );
});

describe('tensors', () => {
  it.each<[string, Change, string, RegExp]>([
    [
      'missing',
      { tensors: (all) => [q0, k1].forEach((name) => void all.delete(name)) },
      'tensors-missing',
      /q_proj.weight, .*k_proj/,
    ],
    [
      'missing: packed, and config.json does not say how',
      {
        tensors: (all) => {
          all.set(q0.replace('weight', 'qweight'), all.get(q0)!);
          all.delete(q0);
        },
      },
      'tensors-missing',
      /q_proj\.qweight\), and config\.json has no quantization_config/,
    ],
    [
      'missing: the output matrix of an untied model',
      { tensors: (all) => void all.delete('lm_head.weight') },
      'tensors-missing',
      /lm_head/,
    ],
    [
      'missing: a layer that config.json promises',
      { config: { num_hidden_layers: 5 } },
      'tensors-missing',
      /model\.layers\.4\./,
    ],
    [
      'unexpected',
      { tensors: (all) => void all.set('model.layers.0.extra.weight', all.get(q0)!) },
      'tensors-unexpected',
      /extra/,
    ],
    [
      'unexpected: layers beyond config.json',
      { config: { num_hidden_layers: 3 } },
      'tensors-unexpected',
      /model\.layers\.3\./,
    ],
    [
      'unexpected: biases that config.json denies',
      { tensors: (all) => void all.set('model.layers.0.self_attn.q_proj.bias', all.get(q0)!) },
      'tensors-unexpected',
      /q_proj\.bias/,
    ],
    [
      'of a wrong shape',
      { tensors: (all) => void all.set(q0, { ...all.get(q0)!, shape: [64, 32] }) },
      'tensors-wrong-shape',
      /q_proj.weight is \[64,32\], config.json makes it \[64,64\]/,
    ],
    [
      'of a wrong rank',
      { tensors: (all) => void all.set(q0, { ...all.get(q0)!, shape: [64, 64, 1] }) },
      'tensors-wrong-shape',
      /\[64,64,1\]/,
    ],
    [
      'of another vocabulary size',
      { model: 'qwen2', config: { vocab_size: 600 } },
      'tensors-wrong-shape',
      /embed_tokens.weight is \[512,64\].*\[600,64\]/,
    ],
    [
      'of an unsupported type',
      { tensors: (all) => void all.set(q0, { ...all.get(q0)!, dtype: dtypeByName('F8_E4M3')! }) },
      'tensors-unsupported-dtype',
      /q_proj.weight is F8_E4M3/,
    ],
  ])('are refused when %s', async (_, change, code, text) => {
    expect(await refusal(change)).toEqual({ code, text: expect.stringMatching(text) });
  });

  it('names twenty offenders and counts the rest', async () => {
    const { text } = await refusal({ tensors: (all) => all.clear() });
    expect(text).toMatch(/and 19 more/);
  });

  it('are skipped when they are computed at run time, and the skip is reported', async () => {
    const name = 'model.layers.0.self_attn.rotary_emb.inv_freq';
    const { tensors, notes } = await view({ tensors: (all) => void all.set(name, all.get('model.norm.weight')!) });
    expect(tensors.size).toBe(39);
    expect(notes).toEqual([expect.stringContaining(name)]);
  });

  it("come in the converter's order: files by name, then tensors by name", async () => {
    const { tensors } = await view({
      tensors: (all) => {
        const shuffled = [...all].reverse();
        all.clear();
        // The last layers and the final norm lie in the first file.
        for (const [name, tensor] of shuffled) {
          const file = /layers\.[23]|model\.norm/.test(name)
            ? 'model-00001-of-00002.safetensors'
            : 'model-00002-of-00002.safetensors';
          all.set(name, { ...tensor, file });
        }
      },
    });
    const names = [...tensors.keys()];
    expect(names).toHaveLength(39);
    expect(names.slice(0, 2)).toEqual(['blk.2.attn_norm.weight', 'blk.2.ffn_down.weight']);
    expect(names.slice(18, 22)).toEqual([
      'output_norm.weight',
      'output.weight',
      'token_embd.weight',
      'blk.0.attn_norm.weight',
    ]);
    expect(names.at(-1)).toBe('blk.1.attn_v.weight');
  });

  it('keep an output matrix that a tied checkpoint stores, as the converter does', async () => {
    const { tensors, notes } = await view({ config: { tie_word_embeddings: true } });
    expect(tensors.has('output.weight')).toBe(true);
    expect(notes).toEqual([expect.stringContaining('lm_head.weight')]);
  });

  it('include the attention biases of a llama that has them', async () => {
    const names = ['q', 'k', 'v', 'o'].flatMap((which) =>
      [0, 1, 2, 3].map((i) => `model.layers.${i}.self_attn.${which}_proj.bias`),
    );
    const seen = await view({
      config: { attention_bias: true },
      tensors: (all) => {
        for (const name of names) {
          const cols = /[kv]_proj/.test(name) ? 32 : 64;
          all.set(name, { ...all.get('model.norm.weight')!, name, shape: [cols], cols, rowBytes: 2 * cols });
        }
      },
    });
    expect(seen.tensors.has('blk.3.attn_output.bias')).toBe(true);
    expect(hyperparameters(seen)).toMatchObject({ attnBias: true, attnOutputBias: true });
  });
});

describe('general.file_type', () => {
  const as = (name: string) => (tensor: TensorView) => ({ ...tensor, dtype: dtypeByName(name)! });
  const guessed = async (change: Change) => (await view(change)).metadata.get('general.file_type')?.value;

  it('is that of the first matrix by name, not in the file', async () => {
    const first = 'lm_head.weight'; // sorts before model.*
    const tensors: Change['tensors'] = (all) => {
      const head = as('F16')(all.get(first)!);
      all.delete(first);
      all.set(first, head);
    };
    expect(await guessed({ tensors })).toBe(1);
    expect(await guessed({})).toBe(32);
  });

  it('is F16 when everything is F32, as in the converter', async () => {
    const tensors: Change['tensors'] = (all) => {
      for (const [name, tensor] of all) all.set(name, as('F32')(tensor));
    };
    expect(await guessed({ tensors })).toBe(1);
  });
});

describe('sliding_window', () => {
  const window = async (sliding_window: unknown) =>
    hyperparameters(await view({ model: 'mistral', config: { sliding_window } })).slidingWindow;

  it('is kept for mistral', async () => expect(await window(64)).toBe(64));
  it('is dropped when it covers the context', async () => expect(await window(256)).toBeUndefined());
  it('is refused when it is no size', async () => {
    expect(await refusal({ model: 'mistral', config: { sliding_window: -1 } })).toMatchObject({
      code: 'config-bad-value',
    });
  });
});
