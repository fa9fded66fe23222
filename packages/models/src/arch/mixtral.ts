// Mixtral 8x7B and 8x22B: Mistral's attention and GGUF architecture `llama`, with experts in place of the MLP.
import type { Architecture } from './architecture.ts';
import { decoder, preNormBlock, readAttention, readEps } from './decoder.ts';
import {
  attentionBlockTensors,
  denseConfig,
  embeddingTensors,
  evenHeadDim,
  fixedForDense,
  llamaTokenizerFixes,
  ropeFreqs,
} from './dense.ts';
import { expertCounts, expertTensors, mixturePairs } from './mixture.ts';
import { readExperts } from './read-experts.ts';

export const mixtral: Architecture = {
  family: 'mixtral',
  name: 'llama',
  hf: ['MixtralForCausalLM'],
  modelType: 'mixtral',
  config: [
    ...denseConfig({
      contextLength: 131072,
      kvHeads: 8,
      rmsEps: 1e-5,
      headDim: () => undefined,
      experts: expertCounts({ experts: 8, used: 2 }),
    }),
    { hf: 'vocab_size', gguf: ['vocab_size'], type: 'uint32' },
    { hf: 'head_dim', gguf: ['rope.dimension_count'], type: 'uint32', missing: evenHeadDim },
  ],
  fixed: [...fixedForDense, { key: 'attention_bias', values: [false], why: 'Mixtral attention has no biases' }],
  // The class has one width, that of its experts: `intermediate_size`.
  ignored: ['moe_intermediate_size'],
  rope: { types: ['default', 'linear', 'yarn', 'llama3'], theta: 1e6 },
  slidingWindow: true,
  tensors: [
    ropeFreqs,
    ...embeddingTensors,
    ...attentionBlockTensors({ permute: true }),
    ...expertTensors('block_sparse_moe', { gate: 'w1', down: 'w2', up: 'w3' }),
  ],
  experts: true,
  network: (read) => {
    const eps = readEps(read);
    const attention = readAttention(read, { style: 'norm' });
    const experts = readExperts(read, { over: 'chosen', width: (feedForwardLength) => feedForwardLength });
    return decoder(read, () => preNormBlock(eps, attention, experts));
  },
  awq: mixturePairs,
  tokenizerFixes: llamaTokenizerFixes,
};
