// Qwen 1.5, 2 and 2.5 (dense): Llama's block with biases on q, k, v and rope over halves.
import type { Architecture } from './architecture.ts';
import { decoder, preNormBlock, readAttention, readEps, readGatedMlp } from './decoder.ts';
import {
  denseBlockTensors,
  denseConfig,
  densePairs,
  embeddingTensors,
  fixedForDense,
  noWindow,
  qkvBiasTensors,
  windowKeys,
} from './dense.ts';

export const qwen2: Architecture = {
  family: 'qwen2',
  name: 'qwen2',
  hf: ['Qwen2ForCausalLM'],
  modelType: 'qwen2',
  config: denseConfig({ contextLength: 32768, kvHeads: 32, rmsEps: 1e-6, headDim: () => undefined }),
  fixed: [...fixedForDense, noWindow],
  ignored: windowKeys,
  rope: { types: ['default', 'linear', 'yarn'] },
  slidingWindow: false,
  tensors: [
    ...embeddingTensors,
    ...denseBlockTensors({ permute: false }),
    ...qkvBiasTensors({ permute: false, presence: 'always' }),
  ],
  network: (read) => {
    const eps = readEps(read);
    const attention = readAttention(read, { style: 'neox' });
    const mlp = readGatedMlp(read);
    return decoder(read, () => preNormBlock(eps, attention, mlp));
  },
  awq: densePairs,
};
