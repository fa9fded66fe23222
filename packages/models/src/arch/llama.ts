// Llama 1–3, and the many models that ship as LlamaForCausalLM (Yi, SmolLM2, TinyLlama, DeepSeek-R1-Distill-Llama…).
import type { Architecture } from './architecture.ts';
import { decoder, preNormBlock, readAttention, readEps, readGatedMlp } from './decoder.ts';
import {
  denseBlockTensors,
  denseConfig,
  densePairs,
  embeddingTensors,
  evenHeadDim,
  fixedForDense,
  llamaTokenizerFixes,
  qkvBiasTensors,
} from './dense.ts';

export const llamaNetwork: Architecture['network'] = (read) => {
  const eps = readEps(read);
  const attention = readAttention(read, { style: 'norm' });
  const mlp = readGatedMlp(read);
  return decoder(read, () => preNormBlock(eps, attention, mlp));
};

export const llama: Architecture = {
  family: 'llama',
  name: 'llama',
  hf: ['LlamaForCausalLM', 'LLaMAForCausalLM'],
  modelType: 'llama',
  config: [
    ...denseConfig({ contextLength: 2048, rmsEps: 1e-6, headDim: evenHeadDim }),
    { hf: 'vocab_size', gguf: ['vocab_size'], type: 'uint32' },
    { hf: 'head_dim', gguf: ['rope.dimension_count'], type: 'uint32', missing: evenHeadDim },
  ],
  fixed: fixedForDense,
  ropeTypes: ['default', 'linear', 'yarn', 'llama3'],
  slidingWindow: false,
  tensors: [
    { gguf: 'rope_freqs.weight', shape: ['ropePairs'], presence: 'llama3Rope' },
    ...embeddingTensors,
    ...denseBlockTensors({ permute: true }),
    ...qkvBiasTensors({ permute: true, presence: 'attentionBias' }),
    {
      hf: 'model.layers.{i}.self_attn.o_proj.bias',
      gguf: 'blk.{i}.attn_output.bias',
      shape: ['embd'],
      presence: 'attentionBias',
    },
  ],
  network: llamaNetwork,
  awq: densePairs,
  tokenizerFixes: llamaTokenizerFixes,
};
