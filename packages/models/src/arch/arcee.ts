// AFM-4.5B (Arcee): Llama's attention, and an MLP without a gate whose activation is the square of relu.
import type { Architecture } from './architecture.ts';
import { decoder, preNormBlock, readAttention, readEps, readFeedForwardLength } from './decoder.ts';
import {
  attentionBlockTensors,
  attentionPairs,
  denseConfig,
  embeddingTensors,
  evenHeadDim,
  fixedForDense,
  inBlock,
  ropeFreqs,
} from './dense.ts';

export const arcee: Architecture = {
  family: 'arcee',
  name: 'arcee',
  hf: ['ArceeForCausalLM'],
  modelType: 'arcee',
  config: [
    ...denseConfig({ contextLength: 4096, rmsEps: 1e-5, headDim: evenHeadDim }),
    { hf: 'vocab_size', gguf: ['vocab_size'], type: 'uint32' },
    { hf: 'head_dim', gguf: ['rope.dimension_count'], type: 'uint32', missing: evenHeadDim },
  ],
  fixed: [
    ...fixedForDense.filter(({ key }) => key !== 'hidden_act'),
    { key: 'hidden_act', values: ['relu2'], why: 'the MLP is computed with the square of relu' },
    { key: 'attention_bias', values: [false], why: 'GGUF has no attention biases for arcee' },
  ],
  rope: { types: ['default', 'linear', 'yarn', 'llama3'] },
  slidingWindow: false,
  tensors: [
    ropeFreqs,
    ...embeddingTensors,
    ...attentionBlockTensors({ permute: true }),
    inBlock('mlp.up_proj.weight', 'ffn_up.weight', ['ff', 'embd']),
    inBlock('mlp.down_proj.weight', 'ffn_down.weight', ['embd', 'ff']),
  ],
  network: (read) => {
    const eps = readEps(read);
    const attention = readAttention(read, { style: 'norm' });
    const width = readFeedForwardLength(read);
    const mlp = { kind: 'plain-mlp', width, activation: { act: 'relu2' }, biased: false } as const;
    return decoder(read, () => preNormBlock(eps, attention, mlp));
  },
  awq: [...attentionPairs, { prev: 'ffn_norm', layers: ['ffn_up'], inspect: 'sub-layer' }],
};
