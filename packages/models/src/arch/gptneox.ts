// GPT-NeoX and Pythia: attention and MLP in parallel on norms of their own, q, k and v of one head after the other.
// Source: llama.cpp conversion/gptneox.py, src/models/gptneox.cpp; transformers models/gpt_neox/modeling_gpt_neox.py.
import { partsOfGroups } from '../change/grouped-parts.ts';
import { layerNorm } from '../forward/norm.ts';
import type { Architecture, TensorRule } from './architecture.ts';
import { decoder, readAttention, readLayerNormEps } from './decoder.ts';
import { evenHeadDim, outsideBlocks } from './dense.ts';
import type { Dimension } from './dimensions.ts';
import { layerNormBlock, parallelBlock, readPlainMlp } from './layer-norm-blocks.ts';
import { maxBlocks } from './model-numbers.ts';
import { rotaryDims } from './rotary-part.ts';

const part = 0.25;

const tensorsOf = (
  hf: string,
  gguf: string,
  shape: readonly Dimension[],
  rest: Omit<TensorRule['stored'] & object, 'name'> = {},
): TensorRule[] =>
  (['weight', 'bias'] as const).map((kind) => ({
    gguf: `blk.{i}.${gguf}.${kind}`,
    shape: kind === 'weight' ? shape : shape.slice(0, 1),
    presence: 'always',
    stored: { name: `gpt_neox.layers.{i}.${hf}.${kind}`, ...rest },
  }));

export const gptneox: Architecture = {
  family: 'gptneox',
  name: 'gptneox',
  hf: ['GPTNeoXForCausalLM'],
  modelType: 'gpt_neox',
  config: [
    { hf: 'max_position_embeddings', gguf: ['context_length'], type: 'uint32', missing: () => 2048 },
    { hf: 'hidden_size', gguf: ['embedding_length'], type: 'uint32' },
    { hf: 'num_hidden_layers', gguf: ['block_count'], type: 'uint32', max: maxBlocks },
    { hf: 'intermediate_size', gguf: ['feed_forward_length'], type: 'uint32' },
    rotaryDims(part, evenHeadDim, 'rotary_pct'),
    { hf: 'num_attention_heads', gguf: ['attention.head_count'], type: 'uint32' },
    { hf: 'use_parallel_residual', gguf: ['use_parallel_residual'], type: 'bool', missing: () => true },
    { hf: 'layer_norm_eps', gguf: ['attention.layer_norm_epsilon'], type: 'float32', missing: () => 1e-5 },
    'rope',
    'fileType',
  ],
  fixed: [
    { key: 'hidden_act', values: ['gelu'], missing: 'gelu', why: 'GELU is computed' },
    { key: 'attention_bias', values: [true], why: 'attention has biases' },
  ],
  rope: { types: ['default', 'linear'], partial: part, baseUnwritten: true },
  slidingWindow: false,
  tensors: [
    outsideBlocks('gpt_neox.embed_in.weight', 'token_embd.weight', ['vocab', 'embd']),
    outsideBlocks('gpt_neox.final_layer_norm.weight', 'output_norm.weight', ['embd']),
    outsideBlocks('gpt_neox.final_layer_norm.bias', 'output_norm.bias', ['embd']),
    outsideBlocks('embed_out.weight', 'output.weight', ['vocab', 'embd'], 'untied'),
    ...tensorsOf('input_layernorm', 'attn_norm', ['embd']),
    ...tensorsOf('attention.query_key_value', 'attn_qkv', ['qkv', 'embd'], {
      changes: [partsOfGroups('headDim', 'headDim', 'headDim')],
    }),
    ...tensorsOf('attention.dense', 'attn_output', ['embd', 'attnOut']),
    ...tensorsOf('post_attention_layernorm', 'ffn_norm', ['embd']),
    ...tensorsOf('mlp.dense_h_to_4h', 'ffn_up', ['ff', 'embd']),
    ...tensorsOf('mlp.dense_4h_to_h', 'ffn_down', ['embd', 'ff']),
  ],
  network: (read) => {
    const eps = readLayerNormEps(read);
    const [attention, mlp] = [readAttention(read, { style: 'neox' }), readPlainMlp(read, { act: 'gelu_erf' })];
    const parallel = read.switchPerLayer('use_parallel_residual', 1)[0];
    const block = parallel
      ? parallelBlock(layerNorm('attn_norm', eps), attention, mlp, layerNorm('ffn_norm', eps))
      : layerNormBlock(eps, attention, mlp);
    return decoder(read, () => block, layerNorm('output_norm', eps));
  },
  // As for gpt2.
  awq: [],
  notPacked: 'attention and MLP read one stream, and the matrices of q, k and v are interleaved',
  remarks: ['rope_theta and linear scaling: the converter writes neither, quern writes both, and llama.cpp reads them'],
};
