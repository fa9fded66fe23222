// Qwen 3 (dense): no biases, an RMS norm on every q and k head, and a head size of its own.
import type { Architecture } from './architecture.ts';
import { decoder, preNormBlock, readAttention, readEps, readGatedMlp } from './decoder.ts';
import {
  denseBlockTensors,
  denseConfig,
  densePairs,
  embeddingTensors,
  fixedForDense,
  headNormTensors,
  noWindow,
  windowKeys,
} from './dense.ts';

export const qwen3: Architecture = {
  family: 'qwen3',
  name: 'qwen3',
  hf: ['Qwen3ForCausalLM'],
  modelType: 'qwen3',
  config: denseConfig({ contextLength: 32768, kvHeads: 32, rmsEps: 1e-6, headDim: () => 128 }),
  fixed: [
    ...fixedForDense,
    { key: 'attention_bias', values: [false], why: 'GGUF has no attention biases for qwen3' },
    noWindow,
  ],
  ignored: windowKeys,
  rope: { types: ['default', 'linear', 'yarn'] },
  slidingWindow: false,
  tensors: [...embeddingTensors, ...denseBlockTensors({ permute: false }), ...headNormTensors],
  network: (read) => {
    const eps = readEps(read);
    const attention = readAttention(read, { style: 'neox', qkNorm: { eps, over: 'head', at: 'before-rope' } });
    const mlp = readGatedMlp(read);
    return decoder(read, () => preNormBlock(eps, attention, mlp));
  },
  awq: densePairs,
};
