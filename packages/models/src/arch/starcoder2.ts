// StarCoder2: Llama's attention with biases and layer norms, GPT-2's MLP.
// Source: llama.cpp conversion/starcoder.py, src/models/starcoder2.cpp; transformers models/starcoder2.
import { layerNorm } from '../forward/norm.ts';
import type { Architecture, TensorRule } from './architecture.ts';
import { decoder, readAttention, readLayerNormEps } from './decoder.ts';
import { embeddingTensors, outsideBlocks } from './dense.ts';
import type { Dimension } from './dimensions.ts';
import { biased, layerNormBlock, normWithBias, readPlainMlp } from './layer-norm-blocks.ts';
import { maxBlocks } from './model-numbers.ts';

const projection = (hf: string, gguf: string, shape: readonly Dimension[]): TensorRule[] =>
  biased(hf, gguf, shape, { flag: 'use_bias', missing: true });

export const starcoder2: Architecture = {
  family: 'starcoder2',
  name: 'starcoder2',
  hf: ['Starcoder2ForCausalLM'],
  modelType: 'starcoder2',
  config: [
    { hf: 'num_hidden_layers', gguf: ['block_count'], type: 'uint32', max: maxBlocks },
    { hf: 'max_position_embeddings', gguf: ['context_length'], type: 'uint32', missing: () => 4096 },
    { hf: 'hidden_size', gguf: ['embedding_length'], type: 'uint32' },
    { hf: 'intermediate_size', gguf: ['feed_forward_length'], type: 'uint32' },
    { hf: 'num_attention_heads', gguf: ['attention.head_count'], type: 'uint32' },
    { hf: 'num_key_value_heads', gguf: ['attention.head_count_kv'], type: 'uint32', missing: () => 2 },
    'rope',
    { hf: 'norm_epsilon', gguf: ['attention.layer_norm_epsilon'], type: 'float32', missing: () => 1e-5 },
    'fileType',
  ],
  fixed: [
    { key: 'hidden_act', values: ['gelu_pytorch_tanh'], why: 'GELU in its tanh form is computed' },
    { key: 'mlp_type', values: ['default'], why: 'the MLP has no gate' },
    { key: 'norm_type', values: ['layer_norm'], why: 'norms are layer norms' },
  ],
  rope: { types: ['default', 'linear', 'yarn'] },
  slidingWindow: true,
  tied: true,
  tensors: [
    ...embeddingTensors,
    outsideBlocks('model.norm.bias', 'output_norm.bias', ['embd']),
    ...normWithBias('input_layernorm', 'attn_norm'),
    ...projection('self_attn.q_proj', 'attn_q', ['q', 'embd']),
    ...projection('self_attn.k_proj', 'attn_k', ['k', 'embd']),
    ...projection('self_attn.v_proj', 'attn_v', ['v', 'embd']),
    ...projection('self_attn.o_proj', 'attn_output', ['embd', 'attnOut']),
    ...normWithBias('post_attention_layernorm', 'ffn_norm'),
    ...projection('mlp.c_fc', 'ffn_up', ['ff', 'embd']),
    ...projection('mlp.c_proj', 'ffn_down', ['embd', 'ff']),
  ],
  network: (read) => {
    const eps = readLayerNormEps(read);
    const attention = readAttention(read, { style: 'neox' });
    const block = layerNormBlock(eps, attention, readPlainMlp(read, { act: 'gelu' }));
    return decoder(read, () => block, layerNorm('output_norm', eps));
  },
  // As for gpt2.
  awq: [],
  notPacked: 'norms with a mean, and an MLP without a gate, leave few of the matrices that scales could be moved into',
  remarks: [
    'sliding_window: the converter drops it; quern writes attention.sliding_window and keeps to it, as transformers does',
  ],
};
