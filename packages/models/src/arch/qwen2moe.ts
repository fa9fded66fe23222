// Qwen 1.5 and 2 MoE (A2.7B, 57B-A14B): Qwen 2's attention, experts, and one more expert that every token uses.
import type { Architecture } from './architecture.ts';
import { decoder, preNormBlock, readAttention, readEps } from './decoder.ts';
import {
  attentionBlockTensors,
  denseConfig,
  embeddingTensors,
  fixedForDense,
  noWindow,
  qkvBiasTensors,
  windowKeys,
} from './dense.ts';
import {
  expertCounts,
  expertTensors,
  expertWidths,
  fixedForSparseBlocks,
  sharedExpertTensors,
  sharedMixturePairs,
} from './mixture.ts';
import { evenShare, readExperts, readSharedExpert } from './read-experts.ts';

export const qwen2moe: Architecture = {
  family: 'qwen2moe',
  name: 'qwen2moe',
  hf: ['Qwen2MoeForCausalLM'],
  modelType: 'qwen2_moe',
  config: [
    ...denseConfig({
      contextLength: 32768,
      kvHeads: 16,
      rmsEps: 1e-6,
      headDim: () => undefined,
      experts: expertCounts({ experts: 60, used: 4 }),
    }),
    ...expertWidths({ each: 1408, shared: 5632 }),
  ],
  fixed: [
    ...fixedForDense,
    ...fixedForSparseBlocks,
    { key: 'norm_topk_prob', values: [false], why: 'GGUF has no key for it and llama.cpp does not normalize' },
    { key: 'qkv_bias', values: [true], why: 'q, k and v have biases in GGUF' },
    noWindow,
  ],
  ignored: windowKeys,
  rope: { types: ['default', 'linear', 'yarn'] },
  slidingWindow: false,
  tensors: [
    ...embeddingTensors,
    ...attentionBlockTensors({ permute: false }),
    ...qkvBiasTensors({ permute: false, presence: 'always' }),
    ...expertTensors('mlp', { gate: 'gate_proj', up: 'up_proj', down: 'down_proj' }),
    ...sharedExpertTensors,
  ],
  experts: true,
  network: (read) => {
    const eps = readEps(read);
    const attention = readAttention(read, { style: 'neox' });
    const experts = readExperts(read, { over: 'all', width: evenShare });
    const shared = readSharedExpert(read, experts, { gated: true });
    return decoder(read, () => preNormBlock(eps, attention, experts, ...shared));
  },
  awq: sharedMixturePairs,
};
