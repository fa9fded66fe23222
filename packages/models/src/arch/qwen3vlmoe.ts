// The text model of Qwen 3 VL with experts (30B-A3B, 235B-A22B), whose stacks lie transposed in a checkpoint.
import type { Architecture } from './architecture.ts';
import {
  attentionBlockTensors,
  denseConfig,
  embeddingTensors,
  evenHeadDim,
  fixedForDense,
  headNormTensors,
} from './dense.ts';
import { expertCounts, fixedForSparseBlocks, routerTensor, transposedExpertStacks } from './mixture.ts';
import { qwen3moe } from './qwen3moe.ts';
import { deepstackLayers, qwen3vlFamily } from './qwen3vl.ts';

export const qwen3vlmoe: Architecture = {
  ...qwen3vlFamily,
  family: 'qwen3vlmoe',
  name: 'qwen3vlmoe',
  hf: ['Qwen3VLMoeTextModel', 'Qwen3VLMoeForConditionalGeneration'],
  modelType: ['qwen3_vl_moe_text', 'qwen3_vl_moe'],
  tied: true,
  config: [
    ...denseConfig({
      contextLength: 128000,
      kvHeads: 16,
      rmsEps: 1e-6,
      headDim: evenHeadDim,
      feedForward: 'optional',
      experts: expertCounts({ experts: 60, used: 4 }),
    }),
    { hf: 'moe_intermediate_size', gguf: ['expert_feed_forward_length'], type: 'uint32', missing: () => 1408 },
    deepstackLayers,
  ],
  fixed: [
    ...fixedForDense,
    ...fixedForSparseBlocks,
    { key: 'norm_topk_prob', values: [true], why: 'the weights of the chosen experts are normalized' },
    { key: 'attention_bias', values: [false], why: 'GGUF has no attention biases for qwen3vlmoe' },
  ],
  tensors: [
    ...embeddingTensors,
    ...attentionBlockTensors({ permute: false }),
    ...headNormTensors,
    routerTensor('mlp'),
    ...transposedExpertStacks,
  ],
  experts: true,
  network: qwen3moe.network!,
  awq: qwen3moe.awq,
};
