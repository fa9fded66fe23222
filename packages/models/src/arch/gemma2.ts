// Gemma 2: a norm before and one after attention and MLP, a window in every other block, soft caps of scores and logits.
import type { Architecture, ConfigRule } from './architecture.ts';
import { decoder, normedBlock, readAttention, readBlocks, readEps } from './decoder.ts';
import { densePairs } from './dense.ts';
import {
  geluMlp,
  gemmaConfig,
  gemmaDefaults,
  gemmaEmbedding,
  gemmaNorm,
  gemmaProjections,
  noBiases,
  noSpacePrefix,
  onlyTied,
  tiedHead,
  unusualTheta,
  withScaledEmbedding,
} from './gemma.ts';
import { queryScale, readQueryScale } from './query-scale.ts';
import { readWindows, windowLayerKeys } from './window-layers.ts';

/** A cap that config.json switches off is 0: without the key llama.cpp takes the published number. */
const softCap = (hf: string, gguf: string, usual: number): ConfigRule => ({
  gguf: [gguf],
  type: 'float32',
  made: (config) => (config[hf] === null ? 0 : (config[hf] ?? usual)),
  back: (numbers) => ({ [hf]: (numbers.at(gguf) ?? usual) || null }),
});

const [period, deepest] = [2, 46];

export const gemma2: Architecture = {
  family: 'gemma2',
  name: 'gemma2',
  hf: ['Gemma2ForCausalLM'],
  modelType: 'gemma2',
  vocabSize: 256000,
  config: [
    ...gemmaConfig({ ...gemmaDefaults, heads: 8, kvHeads: 4 }),
    softCap('attn_logit_softcapping', 'attn_logit_softcapping', 50),
    softCap('final_logit_softcapping', 'final_logit_softcapping', 30),
    ...windowLayerKeys({ period, window: 4096, assumed: true }),
    queryScale(deepest),
    unusualTheta,
  ],
  fixed: [
    { key: 'hidden_activation', values: ['gelu_pytorch_tanh'], why: 'the MLP is computed with GELU in its tanh form' },
    { key: 'use_bidirectional_attention', values: [false], why: 'attention is causal' },
    noBiases,
    onlyTied,
  ],
  // The class reads `hidden_activation` alone.
  ignored: ['hidden_act'],
  rope: { types: ['default'] },
  slidingWindow: false,
  tied: true,
  tensors: [
    ...gemmaEmbedding,
    gemmaNorm('input_layernorm', 'attn_norm'),
    gemmaNorm('post_attention_layernorm', 'post_attention_norm'),
    gemmaNorm('pre_feedforward_layernorm', 'ffn_norm'),
    gemmaNorm('post_feedforward_layernorm', 'post_ffw_norm'),
    ...gemmaProjections,
  ],
  leftOut: [tiedHead],
  network: (read) => {
    const eps = readEps(read);
    const windows = readWindows(read, readBlocks(read), period);
    const cap = (key: string, usual: number) => read.optionalNumber(key, usual, 0, 1e6);
    const [scores, logits] = [cap('attn_logit_softcapping', 50), cap('final_logit_softcapping', 30)];
    const { window: _, ...usual } = readAttention(read, { style: 'neox' });
    const attention = { ...usual, scale: readQueryScale(read, deepest), ...(scores > 0 && { softCap: scores }) };
    const mlp = geluMlp(read);
    const network = decoder(read, (i) => normedBlock(eps, { ...attention, window: windows[i] }, mlp));
    return withScaledEmbedding({
      ...network,
      output: { ...network.output, ...(logits > 0 && { softCap: logits }) },
    });
  },
  awq: densePairs,
  tokenizerKeys: [noSpacePrefix],
  remarks: [
    'query_pre_attn_scalar: llama.cpp knows 1/√head_dim, and 1/√(width/heads) at 46 layers; where config.json says otherwise quern writes gemma2.attention.scale, which llama.cpp ignores, and computes as transformers does',
  ],
};
