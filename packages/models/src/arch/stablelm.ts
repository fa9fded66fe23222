// StableLM: Llama's block with layer norms and a part of each head turning. StableLM 2 12B norms every head of q and k by
// weights of its own, and its attention and MLP read one norm side by side.
// Source: llama.cpp conversion/stablelm.py, src/models/stablelm.cpp; transformers models/stablelm/modeling_stablelm.py.
import { layerNorm } from '../forward/norm.ts';
import type { Architecture, TensorRule } from './architecture.ts';
import { decoder, readAttention, readGatedMlp, readLayerNormEps } from './decoder.ts';
import { embeddingTensors, evenHeadDim, inBlock, mlpTensors, outsideBlocks, qkvBiasTensors } from './dense.ts';
import { layerNormBlock, normWithBias, parallelBlock } from './layer-norm-blocks.ts';
import { maxBlocks } from './model-numbers.ts';
import { rotaryDims } from './rotary-part.ts';

const part = 0.25;

/** One layer norm for each head, without biases; a stack in GGUF. */
const headNorm = (hf: string, gguf: string, heads: 'heads' | 'kvHeads'): TensorRule =>
  inBlock(`self_attn.${hf}.norms.{j}.weight`, `${gguf}.weight`, [heads, 'headDim'], {
    presence: { flag: 'qk_layernorm' },
  });

export const stablelm: Architecture = {
  family: 'stablelm',
  name: 'stablelm',
  hf: ['StableLmForCausalLM', 'StableLMEpochForCausalLM'],
  modelType: ['stablelm', 'stablelm_epoch'],
  config: [
    { hf: 'max_position_embeddings', gguf: ['context_length'], type: 'uint32', missing: () => 4096 },
    { hf: 'hidden_size', gguf: ['embedding_length'], type: 'uint32', missing: () => 2560 },
    { hf: 'num_hidden_layers', gguf: ['block_count'], type: 'uint32', max: maxBlocks, missing: () => 32 },
    { hf: 'intermediate_size', gguf: ['feed_forward_length'], type: 'uint32', missing: () => 6912 },
    rotaryDims(part, evenHeadDim),
    { hf: 'num_attention_heads', gguf: ['attention.head_count'], type: 'uint32', missing: () => 32 },
    { hf: 'num_key_value_heads', gguf: ['attention.head_count_kv'], type: 'uint32', missing: () => 32 },
    { hf: 'use_parallel_residual', gguf: ['use_parallel_residual'], type: 'bool', missing: () => false },
    {
      hf: ['layer_norm_eps', 'norm_eps'],
      gguf: ['attention.layer_norm_epsilon'],
      type: 'float32',
      missing: () => 1e-5,
    },
    'rope',
    'fileType',
  ],
  fixed: [{ key: 'hidden_act', values: ['silu'], why: 'the gated MLP is computed with SiLU' }],
  vocabSize: 50304,
  rope: { types: ['default', 'linear', 'yarn'], partial: part, baseUnwritten: true },
  slidingWindow: false,
  tensors: [
    ...embeddingTensors,
    outsideBlocks('model.norm.bias', 'output_norm.bias', ['embd']),
    ...normWithBias('input_layernorm', 'attn_norm'),
    inBlock('self_attn.q_proj.weight', 'attn_q.weight', ['q', 'embd']),
    inBlock('self_attn.k_proj.weight', 'attn_k.weight', ['k', 'embd']),
    inBlock('self_attn.v_proj.weight', 'attn_v.weight', ['v', 'embd']),
    inBlock('self_attn.o_proj.weight', 'attn_output.weight', ['embd', 'attnOut']),
    ...qkvBiasTensors({ permute: false, presence: { flag: 'use_qkv_bias' } }),
    headNorm('q_layernorm', 'attn_q_norm', 'heads'),
    headNorm('k_layernorm', 'attn_k_norm', 'kvHeads'),
    ...normWithBias('post_attention_layernorm', 'ffn_norm').map(
      (rule): TensorRule => ({ ...rule, blocks: ({ numbers }) => !numbers.isTrue('use_parallel_residual') }),
    ),
    ...mlpTensors,
  ],
  preTokenizers: { qwen2: 'stablelm2' },
  network: (read) => {
    const eps = readLayerNormEps(read);
    const normed = read.hasTensor('blk.0.attn_q_norm.weight');
    const qkNorm = { kind: 'layer', eps, over: 'each-head', at: 'before-rope' } as const;
    const attention = readAttention(read, { style: 'neox', ...(normed && { qkNorm }) });
    const mlp = readGatedMlp(read);
    // llama.cpp asks the tensors, not the key, which older converters set where it did not hold.
    const block = read.hasTensor('blk.0.ffn_norm.weight')
      ? layerNormBlock(eps, attention, mlp)
      : parallelBlock(layerNorm('attn_norm', eps), attention, mlp);
    return decoder(read, () => block, layerNorm('output_norm', eps));
  },
  // As for gpt2.
  awq: [],
  notPacked: 'norms with a mean, and an MLP without a gate, leave few of the matrices that scales could be moved into',
  remarks: [
    'rope_theta and rope scaling: the converter writes neither, quern writes both, and llama.cpp reads them',
    'models with qk_layernorm: llama.cpp 0.5.0’s converter fails on them; the file is as llama.cpp loads it',
  ],
};
