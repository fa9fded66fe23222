// OLMoE (1B-7B): Llama's block with experts, and an RMS norm over all of q and k.
import type { Architecture } from './architecture.ts';
import { decoder, preNormBlock, readAttention, readEps } from './decoder.ts';
import { attentionBlockTensors, denseConfig, embeddingTensors, fixedForDense, inBlock } from './dense.ts';
import { expertCounts, expertTensors, mixturePairs } from './mixture.ts';
import { readExperts } from './read-experts.ts';

export const olmoe: Architecture = {
  family: 'olmoe',
  name: 'olmoe',
  hf: ['OlmoeForCausalLM'],
  modelType: 'olmoe',
  config: denseConfig({
    contextLength: 4096,
    rmsEps: 1e-5,
    headDim: () => undefined,
    experts: expertCounts({ experts: 64, used: 8 }),
  }),
  fixed: [
    ...fixedForDense,
    { key: 'attention_bias', values: [false], why: 'GGUF has no attention biases for olmoe' },
    { key: 'clip_qkv', values: [], why: 'clipped q, k and v are not supported' },
    { key: 'norm_topk_prob', values: [false], why: 'GGUF has no key for it and llama.cpp does not normalize' },
  ],
  // The class has one width, that of its experts: `intermediate_size`.
  ignored: ['moe_intermediate_size'],
  rope: { types: ['default', 'linear', 'yarn'] },
  slidingWindow: false,
  tensors: [
    ...embeddingTensors,
    ...attentionBlockTensors({ permute: false }),
    inBlock('self_attn.q_norm.weight', 'attn_q_norm.weight', ['q']),
    inBlock('self_attn.k_norm.weight', 'attn_k_norm.weight', ['k']),
    ...expertTensors('mlp', { gate: 'gate_proj', up: 'up_proj', down: 'down_proj' }),
  ],
  sizes: (_numbers, _block, { ff }) => ({ expertFf: ff! }),
  experts: true,
  network: (read) => {
    const eps = readEps(read);
    const attention = readAttention(read, { style: 'neox', qkNorm: { eps, over: 'width', at: 'before-rope' } });
    const experts = readExperts(read, { over: 'all', width: (feedForwardLength) => feedForwardLength });
    return decoder(read, () => preNormBlock(eps, attention, experts));
  },
  awq: mixturePairs,
  preTokenizers: { 'llama-bpe': 'dbrx' },
};
