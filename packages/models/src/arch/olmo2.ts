// OLMo 2: Llama's block without norms before attention and MLP, with norms after both, and an RMS norm over all of q and k.
import type { Architecture } from './architecture.ts';
import { denseConfig, embeddingTensors, fixedForDense, inBlock, mlpTensors } from './dense.ts';

export const olmo2: Architecture = {
  family: 'olmo2',
  name: 'olmo2',
  hf: ['Olmo2ForCausalLM'],
  modelType: 'olmo2',
  config: denseConfig({ contextLength: 2048, rmsEps: 1e-5, headDim: () => undefined }),
  fixed: [...fixedForDense, { key: 'attention_bias', values: [false], why: 'GGUF has no attention biases for olmo2' }],
  rope: { types: ['default', 'linear', 'yarn'] },
  slidingWindow: false,
  tensors: [
    ...embeddingTensors,
    inBlock('self_attn.q_proj.weight', 'attn_q.weight', ['q', 'embd']),
    inBlock('self_attn.k_proj.weight', 'attn_k.weight', ['k', 'embd']),
    inBlock('self_attn.v_proj.weight', 'attn_v.weight', ['v', 'embd']),
    inBlock('self_attn.o_proj.weight', 'attn_output.weight', ['embd', 'attnOut']),
    inBlock('self_attn.q_norm.weight', 'attn_q_norm.weight', ['q']),
    inBlock('self_attn.k_norm.weight', 'attn_k_norm.weight', ['k']),
    inBlock('post_attention_layernorm.weight', 'post_attention_norm.weight', ['embd']),
    inBlock('post_feedforward_layernorm.weight', 'post_ffw_norm.weight', ['embd']),
    ...mlpTensors,
  ],
  awq: [],
  preTokenizers: { 'llama-bpe': 'dbrx' },
};
