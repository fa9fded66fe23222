// Gemma 1, and what Gemma 2 and 3 keep of it: norms stored around zero, an embedding that is multiplied by √width and is
// the output matrix too, and a gated MLP with GELU. GGUF: GemmaModel of llama.cpp's conversion/gemma.py.
import { plusOne } from '../change/mapped-values.ts';
import type { FeedForwardSpec } from '../forward/feed-forwards/index.ts';
import type { Network } from '../forward/network.ts';
import type { NetworkReader } from '../network-reader.ts';
import type { Architecture, ConfigRule, Json, TensorRule } from './architecture.ts';
import { decoder, preNormBlock, readAttention, readEps, readFeedForwardLength } from './decoder.ts';
import { type DenseDefaults, denseConfig, densePairs, inBlock, mlpTensors, outsideBlocks } from './dense.ts';

export const gemmaDefaults: DenseDefaults = { contextLength: 8192, rmsEps: 1e-6, headDim: () => 256 };

/** Gemma 1 and 2 have no keys of rope, and the number of blocks in third place. */
export function gemmaConfig(defaults: DenseDefaults): ConfigRule[] {
  const [blocks, contextLength, width, ...others] = denseConfig(defaults);
  const rest = others.filter((rule) => rule !== 'rope');
  return [contextLength, width, blocks, ...rest] as ConfigRule[];
}

/** A base of rope that llama.cpp's converter would lose: it is written where it is not the usual one. */
export const unusualTheta: ConfigRule = {
  gguf: ['rope.freq_base'],
  type: 'float32',
  made: ({ rope_parameters: rope, rope_theta: beside }: Json) => {
    const theta = rope?.rope_theta ?? beside ?? 10000;
    return theta === 10000 ? undefined : theta;
  },
};

/** A tensor that stays as it is, but for the 1 that is added. */
export const gemmaNorm = (hf: string, gguf: string, width: 'embd' | 'headDim' = 'embd'): TensorRule =>
  inBlock(`${hf}.weight`, `${gguf}.weight`, [width], { changes: [plusOne] });

export const gemmaEmbedding: readonly TensorRule[] = [
  outsideBlocks('model.embed_tokens.weight', 'token_embd.weight', ['vocab', 'embd']),
  {
    ...outsideBlocks('model.norm.weight', 'output_norm.weight', ['embd']),
    stored: { name: 'model.norm.weight', changes: [plusOne] },
  },
];

export const gemmaProjections: readonly TensorRule[] = [
  inBlock('self_attn.q_proj.weight', 'attn_q.weight', ['q', 'embd']),
  inBlock('self_attn.k_proj.weight', 'attn_k.weight', ['k', 'embd']),
  inBlock('self_attn.v_proj.weight', 'attn_v.weight', ['v', 'embd']),
  inBlock('self_attn.o_proj.weight', 'attn_output.weight', ['embd', 'attnOut']),
  ...mlpTensors,
];

export const noBiases = { key: 'attention_bias', values: [false], why: 'GGUF has no attention biases for Gemma' };
export const onlyTied = {
  key: 'tie_word_embeddings',
  values: [true],
  why: 'GGUF has no place for an output matrix of its own',
};
/** AutoAWQ and others store the embedding a second time. */
export const tiedHead = { start: 'lm_head.', what: 'output matrix, which is the embedding' };

export const noSpacePrefix = ['tokenizer.ggml.add_space_prefix', { type: 'bool', value: false }] as const;

export const geluMlp = (read: NetworkReader, width = readFeedForwardLength(read)): FeedForwardSpec => ({
  kind: 'gated-mlp',
  width,
  activation: { act: 'gelu' },
});

export const withScaledEmbedding = (network: Network): Network => ({
  ...network,
  embedding: { scale: Math.fround(Math.sqrt(network.embeddingLength)) },
});

export const gemma: Architecture = {
  family: 'gemma',
  name: 'gemma',
  hf: ['GemmaForCausalLM'],
  modelType: 'gemma',
  vocabSize: 256000,
  config: [...gemmaConfig({ ...gemmaDefaults, heads: 16, kvHeads: 16 }), unusualTheta],
  fixed: [
    // Published files say "gelu" and mean this (transformers' configuration_gemma.py).
    { key: 'hidden_act', values: ['gelu_pytorch_tanh', 'gelu'], why: 'the MLP is computed with GELU in its tanh form' },
    { key: 'hidden_activation', values: ['gelu_pytorch_tanh'], why: 'the MLP is computed with GELU in its tanh form' },
    { key: 'use_bidirectional_attention', values: [false], why: 'attention is causal' },
    noBiases,
    onlyTied,
  ],
  rope: { types: ['default'] },
  slidingWindow: false,
  tied: true,
  tensors: [
    ...gemmaEmbedding,
    gemmaNorm('input_layernorm', 'attn_norm'),
    gemmaNorm('post_attention_layernorm', 'ffn_norm'),
    ...gemmaProjections,
  ],
  leftOut: [tiedHead],
  network: (read) => {
    const eps = readEps(read);
    const attention = readAttention(read, { style: 'neox' });
    const mlp = geluMlp(read);
    return withScaledEmbedding(decoder(read, () => preNormBlock(eps, attention, mlp)));
  },
  awq: densePairs,
  // The converter sets it for CodeGemma's sake, whatever the vocabulary is.
  tokenizerKeys: [['tokenizer.ggml.eot_token_id', { type: 'uint32', value: 107 }], noSpacePrefix],
};
