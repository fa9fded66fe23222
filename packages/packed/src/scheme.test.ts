// What configurations are understood to say, and which are refused.
import { QuernError } from '@quern/errors';
import { expect, it } from 'vitest';
import { describesActivations, describesCache, schemeOf, withoutQuantization } from './index.ts';

type Json = Record<string, unknown>;

function outcome(config: Json, side?: Json): string | undefined {
  try {
    return schemeOf(config, side)?.description;
  } catch (error) {
    if (error instanceof QuernError) return error.code;
    throw error;
  }
}
const quantized = (quantization_config: unknown) => ({ quantization_config });
const group = (weights: Json, more: Json = {}) => ({
  quant_method: 'compressed-tensors',
  config_groups: { group_0: { targets: ['Linear'], weights } },
  format: 'pack-quantized',
  ...more,
});
const side = (quantization: Json) => ({ producer: { name: 'modelopt' }, quantization });

it.each<[Json, string | undefined]>([
  [{}, undefined],
  [quantized(null), undefined],
  [quantized({ quant_method: 'awq', bits: 4, group_size: 128, version: 'GEMM' }), 'AWQ gemm, 4 bits, groups of 128'],
  [quantized({ quant_method: 'awq', w_bit: 4, q_group_size: -1 }), 'AWQ gemm, 4 bits, one group per row'],
  [
    quantized({ quant_method: 'gptq', bits: 3, group_size: 64, desc_act: true }),
    'GPTQ v1, 3 bits, groups of 64, act-order',
  ],
  [
    quantized({ quant_method: 'gptq', bits: 8, group_size: -1, checkpoint_format: 'gptq_v2' }),
    'GPTQ v2, 8 bits, one group per row',
  ],
  [
    quantized({ quant_method: 'gptq', bits: 4, group_size: 32, dynamic: { '-:gate': {} } }),
    'GPTQ v1, 4 bits, groups of 32',
  ],
  [{ text_config: quantized({ quant_method: 'mxfp4' }) }, 'MXFP4 experts, 4.25 bits, blocks of 32'],
  [{ quantization: { group_size: 64, bits: 6 } }, 'MLX affine, 6 bits, groups of 64'],
  [quantized(group({ num_bits: 4, group_size: 128 })), 'compressed-tensors pack-quantized 4 bits'],
  [{ compression_config: group({ num_bits: 8, strategy: 'channel' }) }, 'compressed-tensors pack-quantized 8 bits'],
  [quantized({ quant_method: 'fp8', weight_block_size: [128, 128] }), 'FP8 in tiles of 128 × 128'],
  [quantized({ quant_method: 'fp8' }), 'FP8 with a scale per tensor or row'],
  [quantized({ quant_method: 'fbgemm_fp8' }), 'FP8 with a scale per row'],
  [quantized({ quant_method: 'modelopt', quant_algo: 'NVFP4' }), 'ModelOpt NVFP4'],
])('understands %j', (config, description) => {
  expect(outcome(config)).toBe(description);
});

it.each([
  'bitsandbytes',
  'hqq',
  'exl2',
  'exl3',
  'quanto',
  'torchao',
  'aqlm',
  'vptq',
  'spqr',
  'higgs',
  'eetq',
  'quark',
  'fp_quant',
  'sinq',
  'bitnet',
  'gguf',
  'auto-round',
  'marlin',
  'mxfp8',
])('refuses %s by name, with a remedy', (method) => {
  expect(() => schemeOf(quantized({ quant_method: method }))).toThrow(method);
  expect(outcome(quantized({ quant_method: method }))).toBe('packed-method-refused');
  try {
    schemeOf(quantized({ quant_method: method }));
  } catch (error) {
    expect((error as QuernError).remedy).toMatch(/\w/);
  }
});

it.each<[string, Json]>([
  ['an old bitsandbytes file', { load_in_4bit: true }],
  ['AWQ gemv', { quant_method: 'awq', bits: 4, group_size: 128, version: 'gemv' }],
  ['AWQ gemv_fast', { quant_method: 'awq', bits: 4, group_size: 128, version: 'gemv_fast' }],
  ['AWQ of llm-awq', { quant_method: 'awq', bits: 4, group_size: 128, format: 'llm-awq' }],
  ['GPTQ marlin', { quant_method: 'gptq', bits: 4, group_size: 128, is_marlin_format: true }],
  ['GPTQ bitblas', { quant_method: 'gptq', bits: 4, group_size: 128, checkpoint_format: 'bitblas' }],
  ['GPTQ with other words', { quant_method: 'gptq', bits: 4, group_size: 128, pack_dtype: 'int16' }],
  ['GPTQ with exceptions', { quant_method: 'gptq', bits: 4, group_size: 128, dynamic: { '+:down': { bits: 8 } } }],
  ['MLX mxfp4', { bits: 4, group_size: 32, mode: 'mxfp4' }],
  [
    'sparse compressed-tensors',
    group({ num_bits: 4, group_size: 32 }, { sparsity_config: { format: 'sparse-24-bitmask' } }),
  ],
  [
    'rotated compressed-tensors',
    group({ num_bits: 4, group_size: 32 }, { transform_config: { config_groups: { r1: {} } } }),
  ],
  ['ModelOpt W4A8_AWQ', { quant_method: 'modelopt', quant_algo: 'W4A8_AWQ' }],
  ['ModelOpt NVFP4_SVD', { quant_method: 'modelopt', quant_algo: 'NVFP4_SVD' }],
  ['ModelOpt with zeros', { quant_method: 'modelopt', quant_algo: 'W4A16_AWQ', has_zero_point: true }],
])('refuses %s', (_, config) => {
  expect(outcome(quantized(config))).toBe('packed-method-refused');
});

it.each<[string, unknown]>([
  ['no object', 'awq'],
  ['no method', {}],
  ['a method that is no string', { quant_method: 4 }],
  ['AWQ bits', { quant_method: 'awq', bits: 8, group_size: 128 }],
  ['AWQ without zeros', { quant_method: 'awq', bits: 4, group_size: 128, zero_point: false }],
  ['AWQ without a group size', { quant_method: 'awq', bits: 4 }],
  ['a group size of 0', { quant_method: 'gptq', bits: 4, group_size: 0 }],
  ['a group size of 2.5', { quant_method: 'gptq', bits: 4, group_size: 2.5 }],
  ['a group size in letters', { quant_method: 'gptq', bits: 4, group_size: '128' }],
  ['a huge group size', { quant_method: 'gptq', bits: 4, group_size: 2 ** 40 }],
  ['GPTQ bits', { quant_method: 'gptq', bits: 5, group_size: 128 }],
  ['desc_act', { quant_method: 'gptq', bits: 4, group_size: 128, desc_act: 'yes' }],
  ['MLX bits', { bits: 7, group_size: 64 }],
  ['MLX groups', { bits: 4, group_size: 16 }],
  ['no groups', { quant_method: 'compressed-tensors', format: 'pack-quantized' }],
  ['a strategy', group({ num_bits: 4, strategy: 'half' })],
  ['a type', group({ num_bits: 4, type: 'posit' })],
  ['a tile', group({ num_bits: 8, type: 'float', strategy: 'block', block_structure: [128] })],
  ['FP8 tiles', { quant_method: 'fp8', weight_block_size: [128, 0] }],
  ['no algorithm', { quant_method: 'modelopt' }],
  ['mixtures without layers', { quant_method: 'modelopt', quant_algo: 'MIXED_PRECISION' }],
])('refuses wrong configurations: %s', (_, config) => {
  expect(outcome(quantized(config))).toBe('packed-config-invalid');
});

it('refuses methods that it does not know', () => {
  expect(outcome(quantized({ quant_method: 'constructor' }))).toBe('packed-method-unknown');
});

it('hears hf_quant_config.json', () => {
  expect(outcome({}, side({ quant_algo: 'FP8' }))).toBe('ModelOpt FP8');
  expect(outcome({}, side({ quant_algo: null, kv_cache_quant_algo: 'FP8' }))).toBeUndefined();
  const both = quantized({ quant_method: 'modelopt', quant_algo: 'NVFP4' });
  expect(outcome(both, side({ quant_algo: 'NVFP4', group_size: 16 }))).toBe('ModelOpt NVFP4');
});

it('refuses two files, or two keys, that contradict each other', () => {
  const both = quantized({ quant_method: 'modelopt', quant_algo: 'NVFP4' });
  expect(outcome(both, side({ quant_algo: 'FP8' }))).toBe('packed-config-conflict');
  expect(outcome(quantized({ quant_method: 'awq', bits: 4, group_size: 128 }), side({ quant_algo: 'FP8' }))).toBe(
    'packed-config-conflict',
  );
  const mlx = { quantization: { bits: 4, group_size: 64 }, quantization_config: { bits: 8, group_size: 64 } };
  expect(outcome(mlx)).toBe('packed-config-conflict');
});

const cacheScheme = { num_bits: 8, type: 'float', strategy: 'tensor', dynamic: false, symmetric: true };
const plainGroup = (more: object) => ({ group_0: { targets: ['re:.*k_proj'], weights: null, ...more } });
const ctOf = (more: object) => ({ quant_method: 'compressed-tensors', format: 'dense', ...more });
it.each<[string, object, object?]>([
  ['no groups, a cache', ctOf({ config_groups: {}, kv_cache_scheme: cacheScheme })],
  ['groups null, a cache', ctOf({ config_groups: null, kv_cache_scheme: cacheScheme })],
  ['a group of nothing, a cache', ctOf({ config_groups: plainGroup({}), kv_cache_scheme: cacheScheme })],
  [
    'outputs of modules',
    ctOf({ config_groups: plainGroup({ output_activations: cacheScheme }), kv_cache_scheme: null }),
  ],
  ['inputs of modules', ctOf({ config_groups: plainGroup({ input_activations: cacheScheme }) })],
  ['ModelOpt', { quant_method: 'modelopt', quant_algo: null, kv_cache_quant_algo: 'FP8' }],
  ['ModelOpt in its new spelling', { quant_method: 'modelopt', kv_cache_scheme: { num_bits: 8, type: 'float' } }],
  [
    'ModelOpt in both files',
    { quant_method: 'modelopt', quant_algo: null, kv_cache_quant_algo: 'FP8' },
    { quant_algo: null, kv_cache_quant_algo: 'FP8' },
  ],
  [
    'Quark',
    {
      quant_method: 'quark',
      global_quant_config: { weight: null, output_tensors: { dtype: 'fp8_e4m3' } },
      layer_quant_config: { '*k_proj': { weight: null } },
    },
  ],
])('is not heard where only activations or the KV cache are quantized: %s', (_, config, hfQuantConfig) => {
  expect(outcome(quantized(config), hfQuantConfig && side(hfQuantConfig as Json))).toBeUndefined();
});

it("refuses Quark's packed weights", () => {
  for (const config of [
    { global_quant_config: { weight: { dtype: 'fp8_e4m3' } } },
    { global_quant_config: { weight: null }, layer_quant_config: { x: { weight: {} } } },
    {},
  ])
    expect(outcome(quantized({ quant_method: 'quark', ...config }))).toBe('packed-method-refused');
});

it('leaves what speaks of quantization out of config.json', () => {
  const config = { a: 1, quantization_config: {}, text_config: { b: 2, quantization: {}, compression_config: null } };
  expect(withoutQuantization(config)).toEqual({ a: 1, text_config: { b: 2 } });
});

// The names of vLLM's maybe_remap_kv_scale_name, and those of the exporters.
it.each([
  ...[
    'self_attn.k_scale',
    'self_attn.v_scale',
    'self_attn.kv_scale',
    'self_attn.attn.k_scale',
    'self_attn.attn.prob_scale',
  ],
  ...['self_attn.attn.q_scale', 'self_attn.k_zero_point', 'self_attn.attn.v_zero_point', 'self_attn.k_proj.k_scale'],
  ...['self_attn.v_proj.v_scale', 'self_attn.qkv_proj.k_scale', 'self_attn.qkqkv_proj.v_scale', 'mixer.k_proj.k_scale'],
  ...['self_attn.k_proj.output_scale', 'self_attn.v_proj.output_zero_point', 'self_attn.kv_cache_scale'],
  ...[
    'self_attn.k_cache_scale',
    'self_attn.k_bmm_quantizer._amax',
    'self_attn.v_bmm_quantizer._scale',
    'attn.k_scale_inv',
  ],
])('knows a scale of a KV cache: %s', (name) => {
  expect(describesCache(`model.layers.0.${name}`)).toBe(true);
});

it('takes no part of a weight for one', () => {
  const parts = [
    'weight',
    'weight_scale',
    'weight_scale_inv',
    'weight_zero_point',
    'scales',
    'qzeros',
    'bias',
    'input_scale',
  ];
  for (const module of ['k_proj', 'v_proj', 'qkv_proj', 'k_norm', 'kv_a_proj'])
    for (const part of parts) expect(describesCache(`model.layers.0.self_attn.${module}.${part}`)).toBe(false);
});

it('knows what describes activations', () => {
  const names = ['m.q_proj.input_scale', 'm.self_attn.k_scale', 'm.k_proj.v_scale', 'm.input_global_scale'];
  expect(names.map(describesActivations)).toEqual([true, true, true, true]);
  expect(['m.weight_scale', 'm.weight', 'm.scales', 'layer_scale'].map(describesActivations)).toEqual([
    false,
    false,
    false,
    false,
  ]);
});
