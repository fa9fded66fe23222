// Nomic Embed v1 and v1.5: BERT with rotary positions, a gated MLP and without biases in matrices.
// Source: llama.cpp conversion/bert.py NomicBertModel, src/models/bert.cpp; transformers models/nomic_bert.
import type { Architecture, Json, TensorRule } from './architecture.ts';
import { bertHeads, encoderRemark, seesAll, tokenTypesBack } from './bert.ts';
import { readAttention, readGatedMlp, readLayerNormEps } from './decoder.ts';
import { outsideBlocks } from './dense.ts';
import type { Dimension } from './dimensions.ts';
import { encoder, postNormBlock } from './encoder.ts';
import { maxBlocks } from './model-numbers.ts';

/** `n_positions` 8192 is what rope is stretched to; v1 and v1.5 are trained for 2048 tokens. */
const trainedPositions = ({ n_positions: positions = 2048, max_trained_positions: trained = 2048 }: Json): number =>
  Math.min(Number(positions), Number(trained));

const inLayer = (hf: string, gguf: string, shape: readonly Dimension[]): TensorRule => ({
  gguf: `blk.{i}.${gguf}`,
  shape,
  presence: 'always',
  stored: { name: `encoder.layers.{i}.${hf}` },
});

export const nomicBert: Architecture = {
  family: 'nomic-bert',
  name: 'nomic-bert',
  hf: ['NomicBertModel'],
  modelType: 'nomic_bert',
  config: [
    { hf: ['num_hidden_layers', 'n_layer'], gguf: ['block_count'], type: 'uint32', max: maxBlocks },
    { hf: 'max_position_embeddings', gguf: ['context_length'], type: 'uint32', missing: trainedPositions },
    { hf: ['hidden_size', 'n_embd'], gguf: ['embedding_length'], type: 'uint32' },
    { hf: ['intermediate_size', 'n_inner'], gguf: ['feed_forward_length'], type: 'uint32' },
    { hf: ['num_attention_heads', 'n_head'], gguf: ['attention.head_count'], type: 'uint32' },
    'rope',
    {
      hf: ['layer_norm_eps', 'layer_norm_epsilon'],
      gguf: ['attention.layer_norm_epsilon'],
      type: 'float32',
      missing: () => 1e-12,
    },
    {
      hf: 'head_dim',
      gguf: ['attention.key_length', 'attention.value_length'],
      type: 'uint32',
      missing: () => undefined,
    },
    'fileType',
    seesAll,
    tokenTypesBack,
  ],
  fixed: [
    { key: 'activation_function', values: ['swiglu'], why: 'the MLP is gated with SiLU' },
    { key: 'hidden_act', values: ['silu'], why: 'the MLP is gated with SiLU' },
    { key: 'causal', values: [false], why: 'every token sees the whole text' },
    { key: 'qkv_proj_bias', values: [false], why: 'matrices have no biases' },
    { key: 'mlp_fc1_bias', values: [false], why: 'matrices have no biases' },
    { key: 'mlp_fc2_bias', values: [false], why: 'matrices have no biases' },
    { key: 'prenorm', values: [false], why: 'norms stand behind attention and MLP' },
    { key: 'rotary_emb_fraction', values: [1], why: 'whole heads turn' },
    { key: 'rotary_emb_interleaved', values: [false], why: 'halves of heads turn' },
    { key: 'use_rms_norm', values: [false], why: 'norms have a mean and a bias' },
    { key: 'moe_every_n_layers', values: [0], why: 'layers with experts are not supported' },
    { key: 'rotary_emb_scale_base', values: [], why: 'positions have one scale' },
    { key: 'rotary_scaling_factor', values: [], why: 'GGUF has no place for it' },
    { key: 'parallel_block', values: [false], why: 'the MLP follows attention' },
  ],
  ignored: ['type_vocab_size', 'n_positions', 'pad_vocab_size_multiple', 'last_layer_subset', 'use_xentropy'],
  rope: { types: ['default', 'linear'], theta: 1000 },
  slidingWindow: false,
  tensors: [
    outsideBlocks('embeddings.word_embeddings.weight', 'token_embd.weight', ['vocab', 'embd']),
    outsideBlocks('embeddings.token_type_embeddings.weight', 'token_types.weight', ['tokenTypes', 'embd']),
    outsideBlocks('emb_ln.weight', 'token_embd_norm.weight', ['embd']),
    outsideBlocks('emb_ln.bias', 'token_embd_norm.bias', ['embd']),
    inLayer('attn.Wqkv.weight', 'attn_qkv.weight', ['qkv', 'embd']),
    inLayer('attn.out_proj.weight', 'attn_output.weight', ['embd', 'attnOut']),
    inLayer('norm1.weight', 'attn_output_norm.weight', ['embd']),
    inLayer('norm1.bias', 'attn_output_norm.bias', ['embd']),
    inLayer('mlp.fc11.weight', 'ffn_up.weight', ['ff', 'embd']),
    inLayer('mlp.fc12.weight', 'ffn_gate.weight', ['ff', 'embd']),
    inLayer('mlp.fc2.weight', 'ffn_down.weight', ['embd', 'ff']),
    inLayer('norm2.weight', 'layer_output_norm.weight', ['embd']),
    inLayer('norm2.bias', 'layer_output_norm.bias', ['embd']),
  ],
  leftOut: bertHeads,
  network: (read) => {
    const attention = readAttention(read, { style: 'neox', causal: false });
    return encoder(read, {}, postNormBlock(readLayerNormEps(read), attention, readGatedMlp(read)));
  },
  // ffn_up makes the channels of ffn_down; all other inputs are norms of the residual stream itself.
  awq: [{ prev: 'ffn_up', layers: ['ffn_down'], inspect: 'layer' }],
  remarks: [encoderRemark],
};
