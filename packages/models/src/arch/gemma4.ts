// Gemma 4: E2B and E4B (an input of each block by token, keys and values shared by the last layers), dense, and 26B-A4B
// (experts beside the MLP). Norms are stored as they are. GGUF: Gemma4Model of llama.cpp's conversion/gemma.py.
import type { Architecture, ConfigRule, Json, MadeRule, TensorRule } from './architecture.ts';
import { count } from './config-error.ts';
import { embeddingTensors, inBlock, mlpTensors, outsideBlocks } from './dense.ts';
import { noBiases, noSpacePrefix } from './gemma.ts';
import { gemma4Layers, headDimOf } from './gemma4-layers.ts';
import { gemma4Network } from './gemma4-network.ts';
import { maxExperts } from './mixture.ts';
import { type ModelNumbers, maxBlocks } from './model-numbers.ts';

const uint = (gguf: string, made: MadeRule['made'], back?: MadeRule['back']): MadeRule => ({
  gguf: [gguf],
  type: 'uint32',
  made,
  ...(back && { back }),
});
const given = (hf: string, gguf: string, missing?: number): ConfigRule => ({
  hf,
  gguf: [gguf],
  type: 'uint32',
  ...(missing !== undefined && { missing: () => missing }),
});
const isWindow = (numbers: ModelNumbers, block: number) => numbers.isTrue('attention.sliding_window_pattern', block);
const uniform = (values: readonly number[]) => (new Set(values).size === 1 ? values[0]! : [...values]);

const config: Architecture['config'] = [
  { ...given('num_hidden_layers', 'block_count'), max: maxBlocks },
  given('max_position_embeddings', 'context_length', 131072),
  given('hidden_size', 'embedding_length'),
  uint(
    'feed_forward_length',
    (json) => {
      const width = count(json, 'intermediate_size');
      return json.use_double_wide_mlp === true
        ? gemma4Layers(json).map(({ shared }) => (shared ? 2 * width : width))
        : width;
    },
    (numbers) => {
      const widths = numbers.list('feed_forward_length')!;
      return { intermediate_size: widths[0], use_double_wide_mlp: widths.at(-1) !== widths[0] };
    },
  ),
  given('num_attention_heads', 'attention.head_count', 8),
  uint(
    'attention.head_count_kv',
    (json) => uniform(gemma4Layers(json).map(({ kvHeads }) => kvHeads)),
    (numbers) => {
      const heads = numbers.list('attention.head_count_kv')!;
      const of = (window: boolean) => heads.find((_, block) => isWindow(numbers, block) === window);
      const [usual = of(false), full = of(true)] = [of(true), of(false)];
      return { num_key_value_heads: usual, num_global_key_value_heads: full === usual ? null : full };
    },
  ),
  'rope',
  { hf: 'rms_norm_eps', gguf: ['attention.layer_norm_rms_epsilon'], type: 'float32', missing: () => 1e-6 },
  uint(
    'expert_count',
    (json) => (json.enable_moe_block === true ? count(json, 'num_experts', { max: maxExperts }) : undefined),
    (numbers) => ({ num_experts: numbers.at('expert_count') ?? null }),
  ),
  uint(
    'expert_used_count',
    (json) => (json.enable_moe_block === true ? count(json, 'top_k_experts', { max: json.num_experts }) : undefined),
    (numbers) => ({ top_k_experts: numbers.at('expert_used_count') ?? null }),
  ),
  {
    gguf: ['attention.key_length', 'attention.value_length'],
    type: 'uint32',
    made: (json) => headDimOf(json, false),
    back: (numbers) => ({ global_head_dim: numbers.at('attention.key_length') }),
  },
  'fileType',
  {
    // Without the key llama.cpp takes 30; config.json without it has no cap.
    gguf: ['final_logit_softcapping'],
    type: 'float32',
    made: ({ final_logit_softcapping: cap }) => cap ?? 0,
    back: (numbers) => ({ final_logit_softcapping: numbers.at('final_logit_softcapping') || null }),
  },
  given('sliding_window', 'attention.sliding_window', 512),
  { ...given('num_kv_shared_layers', 'attention.shared_kv_layers', 0), min: 0 },
  uint(
    'embedding_length_per_layer_input',
    (json) => perLayerWidth(json),
    (numbers) => {
      const width = numbers.at('embedding_length_per_layer_input') ?? 0;
      return { hidden_size_per_layer_input: width, vocab_size_per_layer_input: numbers.vocab };
    },
  ),
  {
    gguf: ['attention.sliding_window_pattern'],
    type: 'bool',
    made: (json) => gemma4Layers(json).map(({ window }) => window),
    back: (numbers) => ({
      layer_types: Array.from({ length: numbers.blocks }, (_, block) =>
        isWindow(numbers, block) ? 'sliding_attention' : 'full_attention',
      ),
    }),
  },
  {
    gguf: ['attention.key_length_swa', 'attention.value_length_swa'],
    type: 'uint32',
    made: (json) => headDimOf(json, true),
    back: (numbers) => ({ head_dim: numbers.at('attention.key_length_swa') }),
  },
  uint(
    'expert_feed_forward_length',
    (json) => (json.enable_moe_block === true ? count(json, 'moe_intermediate_size') : undefined),
    (numbers) => ({ moe_intermediate_size: numbers.at('expert_feed_forward_length') ?? null }),
  ),
  uint('rope.dimension_count', (json) => headDimOf(json, false)),
  uint('rope.dimension_count_swa', (json) => headDimOf(json, true)),
];

function perLayerWidth(config: Json): number {
  const { hidden_size_per_layer_input: width = 256 } = config;
  return width === null ? 0 : width === 256 ? width : count(config, 'hidden_size_per_layer_input', { min: 0 });
}

const sharedFrom = (numbers: ModelNumbers) => numbers.blocks - (numbers.at('attention.shared_kv_layers') ?? 0);
const isShared: TensorRule['blocks'] = ({ numbers, block }) => block >= sharedFrom(numbers);
const isOwn: TensorRule['blocks'] = (place) => !isShared(place);
const hasInput = (numbers: ModelNumbers) => (numbers.at('embedding_length_per_layer_input') ?? 0) > 0;
const withInput: TensorRule['blocks'] = ({ numbers }) => hasInput(numbers);

/** Keys and values of layers that use those of others are stored all the same, and never used. */
const keysAndValues: readonly TensorRule[] = [
  inBlock('self_attn.k_proj.weight', 'attn_k.weight', ['k', 'embd'], { blocks: isOwn }),
  inBlock('self_attn.k_norm.weight', 'attn_k_norm.weight', ['headDim'], { blocks: isOwn }),
  inBlock('self_attn.v_proj.weight', 'attn_v.weight', ['v', 'embd'], {
    blocks: (place) => isOwn(place) && isWindow(place.numbers, place.block),
  }),
  inBlock('self_attn.v_proj.weight', 'attn_v.weight', ['v', 'embd'], {
    blocks: (place) => isOwn(place) && !isWindow(place.numbers, place.block),
    presence: { flag: 'attention_k_eq_v', is: false, missing: false },
  }),
  inBlock('self_attn.k_proj.weight', 'attn_k.weight', ['k', 'embd'], { blocks: isShared, presence: 'optional' }),
  inBlock('self_attn.k_norm.weight', 'attn_k_norm.weight', ['headDim'], { blocks: isShared, presence: 'optional' }),
  inBlock('self_attn.v_proj.weight', 'attn_v.weight', ['v', 'embd'], { blocks: isShared, presence: 'optional' }),
];

const expert = (hf: string, gguf: string, shape: TensorRule['shape']) =>
  inBlock(hf, gguf, shape, { presence: { flag: 'enable_moe_block' } });

const experts: readonly TensorRule[] = [
  expert('router.proj.weight', 'ffn_gate_inp.weight', ['experts', 'embd']),
  expert('router.scale', 'ffn_gate_inp.scale', ['embd']),
  expert('router.per_expert_scale', 'ffn_down_exps.scale', ['experts']),
  expert('experts.gate_up_proj', 'ffn_gate_up_exps.weight', ['experts', 'expertFfTwice', 'embd']),
  expert('experts.down_proj', 'ffn_down_exps.weight', ['experts', 'embd', 'expertFf']),
  expert('pre_feedforward_layernorm_2.weight', 'pre_ffw_norm_2.weight', ['embd']),
  expert('post_feedforward_layernorm_1.weight', 'post_ffw_norm_1.weight', ['embd']),
  expert('post_feedforward_layernorm_2.weight', 'post_ffw_norm_2.weight', ['embd']),
];

const whole = (hf: string, gguf: string, shape: TensorRule['shape']): TensorRule => ({
  ...outsideBlocks(`model.${hf}.weight`, `${gguf}.weight`, shape),
  exists: hasInput,
});

const inputs: readonly TensorRule[] = [
  whole('embed_tokens_per_layer', 'per_layer_token_embd', ['vocab', 'inputs']),
  whole('per_layer_model_projection', 'per_layer_model_proj', ['inputs', 'embd']),
  whole('per_layer_projection_norm', 'per_layer_proj_norm', ['input']),
  inBlock('per_layer_input_gate.weight', 'inp_gate.weight', ['input', 'embd'], { blocks: withInput }),
  inBlock('per_layer_projection.weight', 'proj.weight', ['embd', 'input'], { blocks: withInput }),
  inBlock('post_per_layer_input_norm.weight', 'post_norm.weight', ['embd'], { blocks: withInput }),
];

export const gemma4: Architecture = {
  family: 'gemma4',
  name: 'gemma4',
  hf: ['Gemma4ForCausalLM', 'Gemma4ForConditionalGeneration'],
  modelType: ['gemma4_text', 'gemma4'],
  vocabSize: 262144,
  config,
  fixed: [
    { key: 'hidden_activation', values: ['gelu_pytorch_tanh'], why: 'the MLP is computed with GELU in its tanh form' },
    // "vision" is about the tokens of pictures alone.
    { key: 'use_bidirectional_attention', values: ['vision'], why: 'attention to text is causal' },
    noBiases,
  ],
  unsupported: (json) => {
    const { vocab_size: vocab, vocab_size_per_layer_input: own } = json;
    if (perLayerWidth(json) === 0 || own === undefined || own === vocab) return undefined;
    return `"vocab_size_per_layer_input": ${own} (GGUF has one vocabulary of ${vocab})`;
  },
  ignored: ['vocab_size_per_layer_input', 'enable_moe_block', 'attention_k_eq_v'],
  rope: {
    types: ['proportional'],
    theta: 1e6,
    window: { theta: 10000 },
    partial: 1,
    missing: { full_attention: { rope_type: 'proportional', partial_rotary_factor: 0.25, rope_theta: 1e6 } },
  },
  slidingWindow: false,
  tied: true,
  tensors: [
    { gguf: 'rope_freqs.weight', shape: ['ropePairs'], presence: 'made' },
    ...embeddingTensors,
    inBlock('input_layernorm.weight', 'attn_norm.weight', ['embd']),
    inBlock('self_attn.q_proj.weight', 'attn_q.weight', ['q', 'embd']),
    inBlock('self_attn.q_norm.weight', 'attn_q_norm.weight', ['headDim']),
    ...keysAndValues,
    inBlock('self_attn.o_proj.weight', 'attn_output.weight', ['embd', 'attnOut']),
    inBlock('post_attention_layernorm.weight', 'post_attention_norm.weight', ['embd']),
    inBlock('pre_feedforward_layernorm.weight', 'ffn_norm.weight', ['embd']),
    ...mlpTensors,
    inBlock('post_feedforward_layernorm.weight', 'post_ffw_norm.weight', ['embd']),
    ...experts,
    ...inputs,
    inBlock('layer_scalar', 'layer_output_scale.weight', ['one']),
  ],
  sizes: (numbers, _block, { expertFf }) => {
    const input = numbers.at('embedding_length_per_layer_input') ?? 0;
    return { input, inputs: input * numbers.blocks, expertFfTwice: 2 * expertFf! };
  },
  experts: 'some',
  network: gemma4Network,
  awq: [],
  notPacked:
    'blocks that share keys and values, or have an input of each token, cannot be calibrated by themselves, and layers whose keys are values have no pair of weights that scales could move between',
  tokenizerKeys: [noSpacePrefix],
  remarks: ['without final_logit_softcapping quern writes 0, since llama.cpp takes 30 when the key is missing'],
};
