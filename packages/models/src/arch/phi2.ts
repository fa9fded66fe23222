// Phi-1, 1.5 and 2: attention and MLP read one layer norm side by side, everything has a bias, the output matrix too.
// Source: llama.cpp conversion/phi.py, src/models/phi2.cpp; transformers models/phi/modeling_phi.py.
import { layerNorm } from '../forward/norm.ts';
import type { Architecture, Json } from './architecture.ts';
import { decoder, readAttention, readLayerNormEps } from './decoder.ts';
import { evenHeadDim, outsideBlocks } from './dense.ts';
import { biased, normWithBias, parallelBlock, readPlainMlp } from './layer-norm-blocks.ts';
import { maxBlocks } from './model-numbers.ts';
import { rotaryDims } from './rotary-part.ts';

const part = 0.5;

export const phi2: Architecture = {
  family: 'phi2',
  name: 'phi2',
  hf: ['PhiForCausalLM'],
  modelType: 'phi',
  config: [
    { hf: 'max_position_embeddings', gguf: ['context_length'], type: 'uint32', missing: () => 2048 },
    { hf: 'hidden_size', gguf: ['embedding_length'], type: 'uint32', missing: () => 2048 },
    { hf: 'intermediate_size', gguf: ['feed_forward_length'], type: 'uint32', missing: () => 8192 },
    { hf: 'num_hidden_layers', gguf: ['block_count'], type: 'uint32', max: maxBlocks, missing: () => 24 },
    { hf: 'num_attention_heads', gguf: ['attention.head_count'], type: 'uint32', missing: () => 32 },
    {
      hf: 'num_key_value_heads',
      gguf: ['attention.head_count_kv'],
      type: 'uint32',
      missing: ({ num_attention_heads: heads = 32 }: Json) => heads,
    },
    { hf: 'layer_norm_eps', gguf: ['attention.layer_norm_epsilon'], type: 'float32', missing: () => 1e-5 },
    rotaryDims(part, evenHeadDim),
    'rope',
    'fileType',
  ],
  fixed: [
    { key: 'hidden_act', values: ['gelu_new', 'gelu_pytorch_tanh'], why: 'GELU in its tanh form is computed' },
    { key: 'qk_layernorm', values: [false], why: 'GGUF has no norms of q and k for phi2' },
  ],
  vocabSize: 51200,
  rope: { types: ['default', 'linear', 'yarn'], partial: part, baseUnwritten: true },
  slidingWindow: false,
  tensors: [
    outsideBlocks('model.embed_tokens.weight', 'token_embd.weight', ['vocab', 'embd']),
    outsideBlocks('model.final_layernorm.weight', 'output_norm.weight', ['embd']),
    outsideBlocks('model.final_layernorm.bias', 'output_norm.bias', ['embd']),
    outsideBlocks('lm_head.weight', 'output.weight', ['vocab', 'embd'], 'untied'),
    outsideBlocks('lm_head.bias', 'output.bias', ['vocab']),
    ...normWithBias('input_layernorm', 'attn_norm'),
    ...biased('self_attn.q_proj', 'attn_q', ['q', 'embd']),
    ...biased('self_attn.k_proj', 'attn_k', ['k', 'embd']),
    ...biased('self_attn.v_proj', 'attn_v', ['v', 'embd']),
    ...biased('self_attn.dense', 'attn_output', ['embd', 'attnOut']),
    ...biased('mlp.fc1', 'ffn_up', ['ff', 'embd']),
    ...biased('mlp.fc2', 'ffn_down', ['embd', 'ff']),
  ],
  tokenizerDefaults: [['tokenizer.ggml.add_bos_token', { type: 'bool', value: false }]],
  network: (read) => {
    const norm = layerNorm('attn_norm', readLayerNormEps(read));
    const block = parallelBlock(norm, readAttention(read, { style: 'neox' }), readPlainMlp(read, { act: 'gelu' }));
    return decoder(read, () => block, layerNorm('output_norm', norm.eps));
  },
  // As for gpt2.
  awq: [],
  notPacked: 'behind the one norm of a block stand GELU and attention: the matrices after them could not be packed',
  remarks: [
    'intermediate_size, num_key_value_heads, rope_theta and rope scaling: the converter writes its own numbers or none, quern writes those of config.json',
  ],
};
