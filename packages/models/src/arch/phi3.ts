// Phi-3, 3.5 and 4: Llama with q, k and v in one matrix, gate and up in another, and frequencies of rope for short and for
// long texts. Source: llama.cpp conversion/phi.py Phi3MiniModel, src/models/phi3.cpp; transformers models/phi3.
import type { Architecture, Json, ScalingPair, TensorRule } from './architecture.ts';
import { count, isAbsent } from './config-error.ts';
import { decoder, preNormBlock, readAttention, readEps, readFeedForwardLength } from './decoder.ts';
import { embeddingTensors, fixedForDense, inBlock } from './dense.ts';
import { maxBlocks } from './model-numbers.ts';
import { rotaryPart } from './rotary-part.ts';

const rotaryDims = (config: Json): number =>
  Math.floor(Math.floor((rotaryPart(config) ?? 1) * config.hidden_size) / config.num_attention_heads);

const originalContext = (config: Json): number =>
  config.rope_parameters?.original_max_position_embeddings ??
  config.rope_scaling?.original_max_position_embeddings ??
  config.max_position_embeddings ??
  4096;

const factors = (which: 'long' | 'short'): TensorRule => ({
  gguf: `rope_factors_${which}.weight`,
  shape: ['ropePairs'],
  presence: 'made',
});

const pairs: readonly ScalingPair[] = [
  { prev: 'attn_norm', layers: ['attn_qkv'], inspect: 'sub-layer' },
  { prev: 'ffn_norm', layers: ['ffn_up'], inspect: 'sub-layer' },
  { prev: 'ffn_up', layers: ['ffn_down'], inspect: 'layer' },
];

export const phi3: Architecture = {
  family: 'phi3',
  name: 'phi3',
  hf: ['Phi3ForCausalLM'],
  modelType: 'phi3',
  config: [
    { hf: 'max_position_embeddings', gguf: ['context_length'], type: 'uint32', missing: () => 4096 },
    {
      hf: 'original_max_position_embeddings',
      gguf: ['rope.scaling.original_context_length'],
      type: 'uint32',
      missing: originalContext,
    },
    { hf: 'hidden_size', gguf: ['embedding_length'], type: 'uint32' },
    { hf: 'intermediate_size', gguf: ['feed_forward_length'], type: 'uint32' },
    { hf: 'num_hidden_layers', gguf: ['block_count'], type: 'uint32', max: maxBlocks },
    { hf: 'num_attention_heads', gguf: ['attention.head_count'], type: 'uint32' },
    {
      hf: 'num_key_value_heads',
      gguf: ['attention.head_count_kv'],
      type: 'uint32',
      missing: ({ num_attention_heads: heads }) => heads,
    },
    { hf: 'rms_norm_eps', gguf: ['attention.layer_norm_rms_epsilon'], type: 'float32', missing: () => 1e-5 },
    {
      gguf: ['rope.dimension_count'],
      type: 'uint32',
      made: rotaryDims,
      back: (numbers) => ({
        partial_rotary_factor:
          (numbers.at('rope.dimension_count')! * numbers.at('attention.head_count')!) / numbers.at('embedding_length')!,
      }),
    },
    'rope',
    'fileType',
    {
      gguf: ['attention.sliding_window'],
      type: 'uint32',
      made: (config) => (isAbsent(config.sliding_window) ? 0 : count(config, 'sliding_window')),
      back: (numbers) => ({ sliding_window: numbers.at('attention.sliding_window') || null }),
    },
  ],
  fixed: [...fixedForDense, { key: 'attention_bias', values: [false], why: 'GGUF has no attention biases for phi3' }],
  rope: { types: ['default', 'longrope'], partial: 1 },
  slidingWindow: false,
  tensors: [
    ...embeddingTensors,
    factors('long'),
    factors('short'),
    inBlock('input_layernorm.weight', 'attn_norm.weight', ['embd']),
    inBlock('self_attn.qkv_proj.weight', 'attn_qkv.weight', ['qkv', 'embd']),
    inBlock('self_attn.o_proj.weight', 'attn_output.weight', ['embd', 'attnOut']),
    inBlock('post_attention_layernorm.weight', 'ffn_norm.weight', ['embd']),
    inBlock('mlp.gate_up_proj.weight', 'ffn_up.weight', ['ffTwice', 'embd']),
    inBlock('mlp.down_proj.weight', 'ffn_down.weight', ['embd', 'ff']),
  ],
  network: (read) => {
    const width = readFeedForwardLength(read);
    const mlp = { kind: 'gated-mlp', width, activation: { act: 'silu' }, fused: true } as const;
    const block = preNormBlock(readEps(read), readAttention(read, { style: 'neox' }), mlp);
    return decoder(read, () => block);
  },
  awq: pairs,
  remarks: [
    'longrope: transformers takes the long factors for texts longer than the original context; quern, as llama.cpp, takes them when the context that is loaded is longer, so that a text has one kind from its first token to its last',
    'sliding_window: transformers keeps to it, and so does quern; llama.cpp 0.5.0 attends to everything',
  ],
};
