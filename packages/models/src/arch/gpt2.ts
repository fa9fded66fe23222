// GPT-2: learned positions, layer norms, q, k and v in one matrix, and matrices stored with inputs as rows.
// Source: llama.cpp conversion/gpt2.py, src/models/gpt2.cpp; transformers models/gpt2/modeling_gpt2.py.
import { transposed } from '../change/transposed.ts';
import { layerNorm } from '../forward/norm.ts';
import type { Architecture, Json, TensorRule } from './architecture.ts';
import { decoder, readAttention, readLayerNormEps } from './decoder.ts';
import { outsideBlocks } from './dense.ts';
import type { Dimension } from './dimensions.ts';
import { layerNormBlock, readPlainMlp } from './layer-norm-blocks.ts';
import { maxBlocks } from './model-numbers.ts';

const tensorsOf = (hf: string, gguf: string, shape: readonly Dimension[]): TensorRule[] => [
  {
    gguf: `blk.{i}.${gguf}.weight`,
    shape,
    presence: 'always',
    stored: { name: `transformer.h.{i}.${hf}.weight`, ...(shape.length === 2 && { changes: [transposed] }) },
  },
  {
    gguf: `blk.{i}.${gguf}.bias`,
    shape: shape.slice(0, 1),
    presence: 'always',
    stored: { name: `transformer.h.{i}.${hf}.bias` },
  },
];

/** `n_inner`, or four times the width. */
const innerWidth = ({ n_inner: inner, n_embd: width = 768 }: Json): number => inner ?? 4 * width;

export const gpt2: Architecture = {
  family: 'gpt2',
  name: 'gpt2',
  hf: ['GPT2LMHeadModel'],
  modelType: 'gpt2',
  config: [
    { hf: 'n_layer', gguf: ['block_count'], type: 'uint32', max: maxBlocks, missing: () => 12 },
    { hf: 'n_positions', gguf: ['context_length'], type: 'uint32', missing: () => 1024 },
    { hf: 'n_embd', gguf: ['embedding_length'], type: 'uint32', missing: () => 768 },
    { hf: 'n_inner', gguf: ['feed_forward_length'], type: 'uint32', missing: innerWidth },
    { hf: 'n_head', gguf: ['attention.head_count'], type: 'uint32', missing: () => 12 },
    { hf: 'layer_norm_epsilon', gguf: ['attention.layer_norm_epsilon'], type: 'float32', missing: () => 1e-5 },
    'fileType',
  ],
  fixed: [
    { key: 'activation_function', values: ['gelu_new', 'gelu_pytorch_tanh'], why: 'GELU in its tanh form is computed' },
    { key: 'scale_attn_weights', values: [true], why: 'scores are divided by √head size' },
    { key: 'scale_attn_by_inverse_layer_idx', values: [false], why: 'all layers scale alike' },
  ],
  ignored: ['n_ctx', 'reorder_and_upcast_attn'],
  slidingWindow: false,
  tied: true,
  tensors: [
    outsideBlocks('transformer.wte.weight', 'token_embd.weight', ['vocab', 'embd']),
    outsideBlocks('transformer.wpe.weight', 'position_embd.weight', ['positions', 'embd']),
    outsideBlocks('transformer.ln_f.weight', 'output_norm.weight', ['embd']),
    outsideBlocks('transformer.ln_f.bias', 'output_norm.bias', ['embd']),
    outsideBlocks('lm_head.weight', 'output.weight', ['vocab', 'embd'], 'untied'),
    ...tensorsOf('ln_1', 'attn_norm', ['embd']),
    ...tensorsOf('attn.c_attn', 'attn_qkv', ['qkv', 'embd']),
    ...tensorsOf('attn.c_proj', 'attn_output', ['embd', 'attnOut']),
    ...tensorsOf('ln_2', 'ffn_norm', ['embd']),
    ...tensorsOf('mlp.c_fc', 'ffn_up', ['ff', 'embd']),
    ...tensorsOf('mlp.c_proj', 'ffn_down', ['embd', 'ff']),
  ],
  network: (read) => {
    const eps = readLayerNormEps(read);
    const block = layerNormBlock(eps, readAttention(read, {}), readPlainMlp(read, { act: 'gelu' }));
    const network = decoder(read, () => block, layerNorm('output_norm', eps));
    return { ...network, embedding: { positions: read.rowsOf('position_embd.weight') } };
  },
  // Layer norms have biases, which a scale would have to divide too; GELU stands before ffn_down.
  awq: [],
  notPacked: 'its matrices are stored transposed, with q, k and v in one',
};
