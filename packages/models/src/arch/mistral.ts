// Mistral 7B and its kin: the same network and the same GGUF architecture as Llama, other defaults, and a sliding
// window in the first release (v0.1).
import type { Architecture } from './architecture.ts';
import {
  denseBlockTensors,
  denseConfig,
  densePairs,
  embeddingTensors,
  evenHeadDim,
  fixedForDense,
  llamaTokenizerFixes,
  ropeFreqs,
} from './dense.ts';
import { llamaNetwork } from './llama.ts';

export const mistral: Architecture = {
  family: 'mistral',
  name: 'llama',
  hf: ['MistralForCausalLM'],
  modelType: 'mistral',
  config: [
    ...denseConfig({ contextLength: 131072, kvHeads: 8, rmsEps: 1e-6, headDim: evenHeadDim }),
    { hf: 'vocab_size', gguf: ['vocab_size'], type: 'uint32' },
    { hf: 'head_dim', gguf: ['rope.dimension_count'], type: 'uint32', missing: evenHeadDim },
  ],
  fixed: [...fixedForDense, { key: 'attention_bias', values: [false], why: 'Mistral attention has no biases' }],
  rope: { types: ['default', 'linear', 'yarn', 'llama3'] },
  slidingWindow: true,
  tensors: [ropeFreqs, ...embeddingTensors, ...denseBlockTensors({ permute: true })],
  network: llamaNetwork,
  awq: densePairs,
  tokenizerFixes: llamaTokenizerFixes,
};
