// Seed-OSS (36B): Llama's block with biases of q, k and v, under names of its own. GGUF: SeedOssModel of llama.cpp's
// conversion/olmo.py.
import type { Architecture } from './architecture.ts';
import { decoder, postAttentionNormBlock, readAttention, readEps, readGatedMlp } from './decoder.ts';
import { denseConfig, embeddingTensors, fixedForDense, inBlock, mlpTensors, qkvBiasTensors } from './dense.ts';

export const seedOss: Architecture = {
  family: 'seed_oss',
  name: 'seed_oss',
  hf: ['SeedOssForCausalLM'],
  modelType: 'seed_oss',
  config: denseConfig({ contextLength: 524288, kvHeads: 8, rmsEps: 1e-6, headDim: () => 128 }),
  fixed: fixedForDense,
  rope: { types: ['default', 'linear', 'yarn'] },
  slidingWindow: false,
  tensors: [
    ...embeddingTensors,
    inBlock('input_layernorm.weight', 'attn_norm.weight', ['embd']),
    inBlock('self_attn.q_proj.weight', 'attn_q.weight', ['q', 'embd']),
    inBlock('self_attn.k_proj.weight', 'attn_k.weight', ['k', 'embd']),
    inBlock('self_attn.v_proj.weight', 'attn_v.weight', ['v', 'embd']),
    inBlock('self_attn.o_proj.weight', 'attn_output.weight', ['embd', 'attnOut']),
    ...qkvBiasTensors({ permute: false, presence: { flag: 'attention_bias', missing: true } }),
    inBlock('self_attn.o_proj.bias', 'attn_output.bias', ['embd'], { presence: { flag: 'attention_out_bias' } }),
    inBlock('post_attention_layernorm.weight', 'post_attention_norm.weight', ['embd']),
    ...mlpTensors,
  ],
  network: (read) => {
    const [eps, attention, mlp] = [readEps(read), readAttention(read, { style: 'neox' }), readGatedMlp(read)];
    return decoder(read, () => postAttentionNormBlock(eps, attention, mlp));
  },
  awq: [
    { prev: 'attn_norm', layers: ['attn_q', 'attn_k', 'attn_v'], inspect: 'sub-layer' },
    { prev: 'attn_v', layers: ['attn_output'], inspect: 'layer', sameShape: true },
    { prev: 'post_attention_norm', layers: ['ffn_gate', 'ffn_up'], inspect: 'sub-layer' },
    { prev: 'ffn_up', layers: ['ffn_down'], inspect: 'layer' },
  ],
};
