// Qwen 3 MoE (30B-A3B, 235B-A22B, Coder): Qwen 3's attention with experts in place of the MLP.
import type { Architecture } from './architecture.ts';
import { decoder, preNormBlock, readAttention, readEps } from './decoder.ts';
import {
  attentionBlockTensors,
  denseConfig,
  embeddingTensors,
  fixedForDense,
  headNormTensors,
  noWindow,
  windowKeys,
} from './dense.ts';
import { expertCounts, expertTensors, fixedForSparseBlocks, mixturePairs } from './mixture.ts';
import { evenShare, readExperts } from './read-experts.ts';

export const qwen3moe: Architecture = {
  family: 'qwen3moe',
  name: 'qwen3moe',
  hf: ['Qwen3MoeForCausalLM'],
  modelType: 'qwen3_moe',
  config: [
    ...denseConfig({
      contextLength: 32768,
      kvHeads: 4,
      rmsEps: 1e-6,
      headDim: () => undefined,
      experts: expertCounts({ experts: 128, used: 8 }),
    }),
    { hf: 'moe_intermediate_size', gguf: ['expert_feed_forward_length'], type: 'uint32', missing: () => 768 },
  ],
  fixed: [
    ...fixedForDense,
    ...fixedForSparseBlocks,
    {
      key: 'norm_topk_prob',
      values: [true],
      missing: false,
      why: 'GGUF has no key for it and llama.cpp normalizes',
    },
    { key: 'attention_bias', values: [false], why: 'GGUF has no attention biases for qwen3moe' },
    noWindow,
  ],
  ignored: windowKeys,
  rope: { types: ['default', 'linear', 'yarn'] },
  slidingWindow: false,
  tensors: [
    ...embeddingTensors,
    ...attentionBlockTensors({ permute: false }),
    ...headNormTensors,
    ...expertTensors('mlp', { gate: 'gate_proj', up: 'up_proj', down: 'down_proj' }),
  ],
  experts: true,
  network: (read) => {
    const eps = readEps(read);
    const attention = readAttention(read, { style: 'neox', qkNorm: { eps, over: 'head', at: 'before-rope' } });
    const experts = readExperts(read, { over: 'chosen', width: evenShare });
    return decoder(read, () => preNormBlock(eps, attention, experts));
  },
  awq: mixturePairs,
};
