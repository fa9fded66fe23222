// Falcon: attention and MLP side by side, on one layer norm (7B, Falcon 2 11B) or on two (40B, 180B); heads of q in groups,
// each with a head of k and one of v, all heads in one group in the 7B.
// Source: llama.cpp conversion/falcon.py, src/models/falcon.cpp; transformers models/falcon/modeling_falcon.py.
import { partsOfGroups } from '../change/grouped-parts.ts';
import { layerNorm } from '../forward/norm.ts';
import type { NetworkReader } from '../network-reader.ts';
import type { Architecture, ConfigRule, Json, TensorRule } from './architecture.ts';
import { decoder, readAttention, readLayerNormEps } from './decoder.ts';
import { outsideBlocks } from './dense.ts';
import type { Dimension } from './dimensions.ts';
import { parallelBlock, readPlainMlp } from './layer-norm-blocks.ts';
import { type ModelNumbers, maxBlocks } from './model-numbers.ts';

const hasTwoNorms = ({ new_decoder_architecture: grouped = false, num_ln_in_parallel_attn: norms }: Json): boolean =>
  grouped === true && (norms ?? 2) === 2;

/** Heads of k and v: `num_kv_heads` counts only where the switches let it. */
function kvHeads(config: Json): unknown {
  const heads = config.num_attention_heads ?? config.n_head ?? 71;
  const given = config.num_kv_heads ?? config.n_head_kv;
  if (config.new_decoder_architecture === true) return given ?? heads;
  return (config.multi_query ?? true) ? 1 : heads;
}

const keysAndValues: ConfigRule = {
  gguf: ['attention.head_count_kv'],
  type: 'uint32',
  made: (config) => kvHeads(config) as number,
  back: (numbers) => {
    const count = numbers.at('attention.head_count_kv')!;
    return { num_kv_heads: count, multi_query: count === 1 };
  },
};

/** The 7B's way to say it where both ways would do. */
const isGrouped = (numbers: ModelNumbers): boolean => numbers.at('attention.head_count_kv')! > 1;

const config = (layout: (numbers: ModelNumbers) => Json): Architecture['config'] => [
  { hf: 'max_position_embeddings', gguf: ['context_length'], type: 'uint32', missing: () => 2048 },
  { gguf: ['tensor_data_layout'], type: 'string', made: () => 'jploski', back: layout },
  { hf: ['hidden_size', 'n_embed'], gguf: ['embedding_length'], type: 'uint32', missing: () => 4544 },
  {
    hf: 'ffn_hidden_size',
    gguf: ['feed_forward_length'],
    type: 'uint32',
    missing: ({ hidden_size: width, n_embed: old = 4544 }: Json) => 4 * (width ?? old),
  },
  {
    hf: ['num_hidden_layers', 'n_layer'],
    gguf: ['block_count'],
    type: 'uint32',
    max: maxBlocks,
    missing: () => 32,
  },
  { hf: ['num_attention_heads', 'n_head'], gguf: ['attention.head_count'], type: 'uint32', missing: () => 71 },
  keysAndValues,
  { hf: 'layer_norm_epsilon', gguf: ['attention.layer_norm_epsilon'], type: 'float32', missing: () => 1e-5 },
  'rope',
  'fileType',
];

const inLayer = (hf: string, gguf: string, shape: readonly Dimension[]): TensorRule => ({
  gguf: `blk.{i}.${gguf}`,
  shape,
  presence: 'always',
  stored: { name: `transformer.h.{i}.${hf}` },
});

const norm = (hf: string, gguf: string): TensorRule[] => [
  inLayer(`${hf}.weight`, `${gguf}.weight`, ['embd']),
  inLayer(`${hf}.bias`, `${gguf}.bias`, ['embd']),
];

const tensors = (norms: readonly TensorRule[]): TensorRule[] => [
  outsideBlocks('transformer.word_embeddings.weight', 'token_embd.weight', ['vocab', 'embd']),
  outsideBlocks('transformer.ln_f.weight', 'output_norm.weight', ['embd']),
  outsideBlocks('transformer.ln_f.bias', 'output_norm.bias', ['embd']),
  outsideBlocks('lm_head.weight', 'output.weight', ['vocab', 'embd'], 'untied'),
  ...norms,
  {
    ...inLayer('self_attention.query_key_value.weight', 'attn_qkv.weight', ['qkv', 'embd']),
    stored: {
      name: 'transformer.h.{i}.self_attention.query_key_value.weight',
      changes: [partsOfGroups('groupQueries', 'headDim', 'valueDim')],
    },
  },
  inLayer('self_attention.dense.weight', 'attn_output.weight', ['embd', 'attnOut']),
  inLayer('mlp.dense_h_to_4h.weight', 'ffn_up.weight', ['ff', 'embd']),
  inLayer('mlp.dense_4h_to_h.weight', 'ffn_down.weight', ['embd', 'ff']),
];

const secondNorm = 'attn_norm_2';

const family = {
  name: 'falcon',
  hf: ['FalconForCausalLM', 'RWForCausalLM'],
  modelType: ['falcon', 'RefinedWeb', 'RefinedWebModel'],
  fixed: [
    { key: 'alibi', values: [false], why: 'GGUF has no ALiBi for falcon: positions are rotary' },
    { key: 'bias', values: [false], why: 'GGUF has no biases of matrices for falcon' },
    { key: 'parallel_attn', values: [true], why: 'attention and MLP stand side by side' },
    { key: 'apply_residual_connection_post_layernorm', values: [false], why: 'what is added is not normed' },
    { key: 'activation', values: ['gelu'], why: 'GELU is computed' },
  ],
  ignored: [
    'new_decoder_architecture',
    'multi_query',
    'num_kv_heads',
    'n_head_kv',
    'num_ln_in_parallel_attn',
    'ff_factor',
  ],
  vocabSize: 65024,
  rope: { types: ['default', 'linear', 'yarn'], baseUnwritten: true },
  slidingWindow: false,
  tied: true,
  sizes: (_numbers, _block, { q = 0, kvHeads: groups = 1 }) => ({ groupQueries: q / groups }),
  network: (read: NetworkReader) => {
    const eps = readLayerNormEps(read);
    const [attention, mlp] = [readAttention(read, { style: 'neox' }), readPlainMlp(read, { act: 'gelu_erf' })];
    const one = layerNorm('attn_norm', eps);
    const block = read.hasTensor(`blk.0.${secondNorm}.weight`)
      ? parallelBlock(layerNorm(secondNorm, eps), attention, mlp, one)
      : parallelBlock(one, attention, mlp);
    return decoder(read, () => block, layerNorm('output_norm', eps));
  },
  // As for gpt2.
  awq: [],
  notPacked: 'behind the one norm of a block stand GELU and attention: the matrices after them could not be packed',
} as const satisfies Partial<Architecture>;

export const falcon: Architecture = {
  ...family,
  family: 'falcon',
  when: (json) => !hasTwoNorms(json),
  isOf: (file) => !file.hasTensor(`blk.0.${secondNorm}.weight`),
  config: config((numbers) => ({
    new_decoder_architecture: isGrouped(numbers),
    num_ln_in_parallel_attn: isGrouped(numbers) ? 1 : null,
  })),
  tensors: tensors(norm('input_layernorm', 'attn_norm')),
  remarks: [
    'context length, ffn_hidden_size, rope_theta and rope scaling: the converter writes its own numbers or none, quern writes those of config.json',
    'GELU: transformers’ exact form is computed, llama.cpp takes the tanh form',
  ],
};

/** The 40B and the 180B. */
export const falconTwoNorms: Architecture = {
  ...family,
  family: 'falcon-40b',
  when: hasTwoNorms,
  isOf: (file) => file.hasTensor(`blk.0.${secondNorm}.weight`),
  config: config(() => ({ new_decoder_architecture: true, num_ln_in_parallel_attn: 2 })),
  tensors: tensors([...norm('ln_mlp', 'attn_norm'), ...norm('ln_attn', secondNorm)]),
};
