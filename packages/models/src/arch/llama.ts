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
  inBlock,
  llamaTokenizerFixes,
  qkvBiasTensors,
  ropeFreqs,
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
  // The class has no window, whatever config.json says.
  ignored: ['sliding_window'],
  rope: { types: ['default', 'linear', 'yarn', 'llama3'] },
  slidingWindow: false,
  tensors: [
    ropeFreqs,
    ...embeddingTensors,
    ...denseBlockTensors({ permute: true }),
    ...qkvBiasTensors({ permute: true, presence: { flag: 'attention_bias' } }),
    inBlock('self_attn.o_proj.bias', 'attn_output.bias', ['embd'], { presence: { flag: 'attention_bias' } }),
  ],
  network: llamaNetwork,
  awq: densePairs,
  tokenizerFixes: llamaTokenizerFixes,
};
