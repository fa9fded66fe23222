// BERT as an encoder of texts (MiniLM, bge, e5, gte …): learned positions, kinds of tokens, norms behind attention and MLP.
// Source: llama.cpp conversion/bert.py, src/models/bert.cpp; transformers models/bert/modeling_bert.py.

import type { Architecture, ConfigRule, FixedConfig, TensorRule } from './architecture.ts';
import { readAttention, readFeedForwardLength, readLayerNormEps } from './decoder.ts';
import { outsideBlocks } from './dense.ts';
import type { Dimension } from './dimensions.ts';
import { encoder, postNormBlock } from './encoder.ts';
import { maxBlocks } from './model-numbers.ts';

/** GGUF is told that every token sees the whole text, although llama.cpp knows it of all these architectures. */
export const seesAll: ConfigRule = { gguf: ['attention.causal'], type: 'bool', made: () => false };

const inLayer = (hf: string, gguf: string, shape: readonly Dimension[]): TensorRule[] => [
  {
    gguf: `blk.{i}.${gguf}.weight`,
    shape,
    presence: 'always',
    stored: { name: `encoder.layer.{i}.${hf}.weight` },
    also: shape.length === 1 ? [{ name: `encoder.layer.{i}.${hf}.gamma` }] : [],
  },
  {
    gguf: `blk.{i}.${gguf}.bias`,
    shape: shape.slice(0, 1),
    presence: 'always',
    stored: { name: `encoder.layer.{i}.${hf}.bias` },
    also: shape.length === 1 ? [{ name: `encoder.layer.{i}.${hf}.beta` }] : [],
  },
];

/** GGUF has the number among those of the tokenizer. */
export const tokenTypesBack: ConfigRule = {
  gguf: [],
  type: 'uint32',
  made: () => undefined,
  back: ({ tokenTypes }) => ({ type_vocab_size: tokenTypes }),
};

/** What no vector comes from. */
export const bertHeads = [
  { start: 'pooler.', what: 'pooler of BERT, which vectors of texts do not pass' },
  { start: 'cls.', what: 'head for masked words' },
  { start: 'embeddings.position_ids', what: 'list of positions' },
];

export const fixedForEncoders: readonly FixedConfig[] = [
  { key: 'position_embedding_type', values: ['absolute'], why: 'positions are learned' },
  { key: 'is_decoder', values: [false], why: 'every token sees the whole text' },
];

export const encoderRemark =
  'runs for vectors (`quern embed`) alone: it has no logits, and is not calibrated (llama-imatrix refuses such models too)';

export const bert: Architecture = {
  family: 'bert',
  name: 'bert',
  hf: ['BertModel', 'BertForMaskedLM'],
  modelType: 'bert',
  isOf: (file) => file.tokenizerModel === 'bert',
  config: [
    { hf: 'num_hidden_layers', gguf: ['block_count'], type: 'uint32', max: maxBlocks, missing: () => 12 },
    { hf: 'max_position_embeddings', gguf: ['context_length'], type: 'uint32', missing: () => 512 },
    { hf: 'hidden_size', gguf: ['embedding_length'], type: 'uint32' },
    { hf: 'intermediate_size', gguf: ['feed_forward_length'], type: 'uint32' },
    { hf: 'num_attention_heads', gguf: ['attention.head_count'], type: 'uint32' },
    { hf: 'layer_norm_eps', gguf: ['attention.layer_norm_epsilon'], type: 'float32', missing: () => 1e-12 },
    'fileType',
    seesAll,
    tokenTypesBack,
  ],
  fixed: [...fixedForEncoders, { key: 'hidden_act', values: ['gelu'], why: 'the MLP is computed with GELU' }],
  ignored: ['type_vocab_size', 'gradient_checkpointing'],
  slidingWindow: false,
  tensors: [
    outsideBlocks('embeddings.word_embeddings.weight', 'token_embd.weight', ['vocab', 'embd']),
    outsideBlocks('embeddings.position_embeddings.weight', 'position_embd.weight', ['positions', 'embd']),
    outsideBlocks('embeddings.token_type_embeddings.weight', 'token_types.weight', ['tokenTypes', 'embd']),
    {
      ...outsideBlocks('embeddings.LayerNorm.weight', 'token_embd_norm.weight', ['embd']),
      also: [{ name: 'embeddings.LayerNorm.gamma' }],
    },
    {
      ...outsideBlocks('embeddings.LayerNorm.bias', 'token_embd_norm.bias', ['embd']),
      also: [{ name: 'embeddings.LayerNorm.beta' }],
    },
    ...inLayer('attention.self.query', 'attn_q', ['q', 'embd']),
    ...inLayer('attention.self.key', 'attn_k', ['k', 'embd']),
    ...inLayer('attention.self.value', 'attn_v', ['v', 'embd']),
    ...inLayer('attention.output.dense', 'attn_output', ['embd', 'attnOut']),
    ...inLayer('attention.output.LayerNorm', 'attn_output_norm', ['embd']),
    ...inLayer('intermediate.dense', 'ffn_up', ['ff', 'embd']),
    ...inLayer('output.dense', 'ffn_down', ['embd', 'ff']),
    ...inLayer('output.LayerNorm', 'layer_output_norm', ['embd']),
  ],
  leftOut: bertHeads,
  network: (read) => {
    const attention = readAttention(read, { causal: false });
    const width = readFeedForwardLength(read);
    const mlp = { kind: 'plain-mlp', width, activation: { act: 'gelu_erf' }, biased: true } as const;
    const positions = read.rowsOf('position_embd.weight');
    return encoder(read, { positions }, postNormBlock(readLayerNormEps(read), attention, mlp));
  },
  // The inputs of q, k and v are norms of the residual stream itself, and GELU stands before ffn_down: no scale can move.
  awq: [],
  notPacked: 'the inputs of q, k and v are norms of the residual stream itself, and GELU stands before the last matrix',
  remarks: [encoderRemark],
};
