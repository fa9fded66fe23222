// DeepSeek V4: several residual streams, one key that is its own value, windows with compressed entries beside them, experts
// of FP4. It converts; what it computes has no rooms here yet. GGUF: DeepseekV4Model of llama.cpp's conversion/deepseek.py.
import { wholeNumbersBelow } from '../change/whole-numbers.ts';
import type { Architecture, TensorRule } from './architecture.ts';
import { show } from './config-error.ts';
import { deepseek4Config, ratios, scaling } from './deepseek4-config.ts';

type Blocks = NonNullable<TensorRule['blocks']>;
const ratioOf: (place: Parameters<Blocks>[0]) => number = ({ numbers, block }) =>
  numbers.at('attention.compress_ratios', block) ?? 0;
const isCompressed: Blocks = (place) => ratioOf(place) > 0;
const isIndexed: Blocks = (place) => ratioOf(place) === ratios.compressed_sparse_attention;
const isHashed: Blocks = ({ numbers, block }) => block < (numbers.at('hash_layer_count') ?? 0);
const isRouted: Blocks = (place) => !isHashed(place);

/** Every tensor keeps what it is stored in: nothing else is published or read by llama.cpp. */
const tensor = (hf: string, gguf: string, shape: TensorRule['shape'], rest: Partial<TensorRule> = {}): TensorRule => ({
  gguf: `${gguf}.weight`,
  shape,
  presence: 'always',
  type: 'stored',
  stored: { name: hf },
  ...rest,
});
const inLayer = (hf: string, gguf: string, shape: TensorRule['shape'], blocks?: Blocks): TensorRule =>
  tensor(`layers.{i}.${hf}`, `blk.{i}.${gguf}`, shape, blocks && { blocks });

/** What becomes an entry: keys and gates of a token, biases by its place, a norm. */
const compressor = (hf: string, gguf: string, head: string, blocks: Blocks): TensorRule[] => [
  { ...inLayer(`${hf}.ape`, `${gguf}_ape`, ['ratio', `${head}Wide`], blocks), f32: true },
  inLayer(`${hf}.wkv.weight`, `${gguf}_kv`, [`${head}Wide`, 'embd'], blocks),
  inLayer(`${hf}.wgate.weight`, `${gguf}_gate`, [`${head}Wide`, 'embd'], blocks),
  inLayer(`${hf}.norm.weight`, `${gguf}_norm`, [head], blocks),
];

const streams = (hf: string, gguf: string): TensorRule[] =>
  [
    inLayer(`${hf}_fn`, `${gguf}_fn`, ['mixtures', 'streams']),
    inLayer(`${hf}_base`, `${gguf}_base`, ['mixtures']),
    inLayer(`${hf}_scale`, `${gguf}_scale`, ['three']),
  ].map((rule) => ({ ...rule, f32: true }));

const expert = (hf: string, gguf: string, shape: TensorRule['shape']): TensorRule[] => [
  inLayer(`ffn.experts.{j}.${hf}.weight`, `${gguf}_exps`, ['experts', ...shape]),
  inLayer(
    `ffn.shared_experts.${hf}.weight`,
    `${gguf}_shexp`,
    shape.map((size) => (size === 'embd' ? size : 'sharedFf')),
  ),
];

const tensors: readonly TensorRule[] = [
  tensor('embed.weight', 'token_embd', ['vocab', 'embd']),
  tensor('norm.weight', 'output_norm', ['embd']),
  tensor('head.weight', 'output', ['vocab', 'embd'], { presence: 'untied' }),
  tensor('hc_head_fn', 'output_hc_fn', ['streamCount', 'streams'], { f32: true }),
  tensor('hc_head_base', 'output_hc_base', ['streamCount'], { f32: true }),
  tensor('hc_head_scale', 'output_hc_scale', ['one'], { f32: true }),
  ...streams('hc_attn', 'hc_attn'),
  ...streams('hc_ffn', 'hc_ffn'),
  inLayer('attn_norm.weight', 'attn_norm', ['embd']),
  inLayer('attn.wq_a.weight', 'attn_q_a', ['queryRank', 'embd']),
  inLayer('attn.q_norm.weight', 'attn_q_a_norm', ['queryRank']),
  inLayer('attn.wq_b.weight', 'attn_q_b', ['q', 'queryRank']),
  inLayer('attn.wkv.weight', 'attn_kv', ['headDim', 'embd']),
  inLayer('attn.kv_norm.weight', 'attn_kv_a_norm', ['headDim']),
  inLayer('attn.wo_a.weight', 'attn_output_a', ['outputRank', 'groupWidth']),
  inLayer('attn.wo_b.weight', 'attn_output_b', ['embd', 'outputRank']),
  { ...inLayer('attn.attn_sink', 'attn_sinks', ['heads']), f32: true },
  ...compressor('attn.compressor', 'attn_compressor', 'headDim', isCompressed),
  ...compressor('attn.indexer.compressor', 'indexer_compressor', 'indexDim', isIndexed),
  inLayer('attn.indexer.wq_b.weight', 'indexer.attn_q_b', ['indexQ', 'queryRank'], isIndexed),
  inLayer('attn.indexer.weights_proj.weight', 'indexer.proj', ['indexHeads', 'embd'], isIndexed),
  inLayer('ffn_norm.weight', 'ffn_norm', ['embd']),
  inLayer('ffn.gate.weight', 'ffn_gate_inp', ['experts', 'embd']),
  {
    ...inLayer('ffn.gate.bias', 'exp_probs_b', ['experts'], isRouted),
    gguf: 'blk.{i}.exp_probs_b.bias',
    f32: true,
  },
  {
    ...inLayer('ffn.gate.tid2eid', 'ffn_gate_tid2eid', ['vocab', 'expertsUsed'], isHashed),
    type: 'I32',
    stored: { name: 'layers.{i}.ffn.gate.tid2eid', changes: [wholeNumbersBelow(({ sizes }) => sizes.experts!)] },
  },
  ...expert('w1', 'ffn_gate', ['expertFf', 'embd']),
  ...expert('w2', 'ffn_down', ['embd', 'expertFf']),
  ...expert('w3', 'ffn_up', ['expertFf', 'embd']),
];

export const deepseek4: Architecture = {
  family: 'deepseek4',
  name: 'deepseek4',
  hf: ['DeepseekV4ForCausalLM'],
  modelType: 'deepseek_v4',
  config: deepseek4Config,
  fixed: [
    { key: 'hidden_act', values: ['silu', 'swish'], why: 'the gated MLP is computed with SiLU' },
    { key: 'attention_bias', values: [false], why: 'GGUF has no attention biases for deepseek4' },
    { key: 'mlp_bias', values: [false], why: 'biases in the MLP are not mapped' },
    { key: 'num_key_value_heads', values: [1], why: 'all heads share one key' },
    { key: 'topk_method', values: ['noaux_tc'], why: 'experts are chosen with a bias' },
    {
      key: 'compress_rates',
      values: [{ compressed_sparse_attention: 4, heavily_compressed_attention: 128 }],
      why: 'GGUF has the rates 4 and 128',
    },
    { key: 'tie_word_embeddings', values: [false], why: 'the output matrix is stored' },
  ],
  ignored: [
    ...['expert_dtype', 'num_nextn_predict_layers', 'intermediate_size'],
    // The bases stand beside them.
    ...['rope_scaling.rope_theta', 'rope_parameters.rope_theta', 'rope_parameters.partial_rotary_factor'],
    ...['main', 'compress'].map((kind) => `rope_parameters.${kind}.partial_rotary_factor`),
  ],
  unsupported: (json) => {
    const { rope_type: type = scaling(json).type ?? 'default', attention_factor: factor = 1 } = scaling(json);
    const { rope_type: main = 'default' } = json.rope_parameters?.main ?? {};
    if (type !== 'yarn' && type !== 'default') return `rope type ${show(type)} (supported: default, yarn)`;
    if (main !== 'default') return `rope type ${show(main)} of layers without compressed entries`;
    return factor === 1 ? undefined : `"attention_factor" ${show(factor)} of rope, which GGUF has no key for here`;
  },
  slidingWindow: false,
  sizes: (numbers, block, { headDim, heads, embd }) => {
    const at = (name: string) => numbers.at(name, block) ?? 0;
    const ratio = block === undefined ? 0 : at('attention.compress_ratios');
    // Entries of four tokens see those of the entry before as well.
    const wide = ratio === ratios.compressed_sparse_attention ? 2 : 1;
    const indexDim = at('attention.indexer.key_length');
    const groups = at('attention.output_group_count');
    const streamCount = at('hyper_connection.count');
    return {
      ratio,
      ...{ headDimWide: wide * headDim!, indexDim, indexDimWide: wide * indexDim },
      indexHeads: at('attention.indexer.head_count'),
      indexQ: at('attention.indexer.head_count') * indexDim,
      queryRank: at('attention.q_lora_rank'),
      outputRank: groups * at('attention.output_lora_rank'),
      groupWidth: Math.floor((heads! * headDim!) / groups),
      ...{ streamCount, streams: streamCount * embd!, mixtures: (2 + streamCount) * streamCount, three: 3 },
      expertsUsed: at('expert_used_count'),
    };
  },
  tensors,
  // Text is routed by the table in the first layers: published files have a bias there that nothing reads.
  leftOut: [
    { start: 'mtp.', what: 'draft block' },
    ...[0, 1, 2].map((layer) => ({
      start: `layers.${layer}.ffn.gate.bias`,
      what: 'bias of a router that a table replaces',
    })),
  ],
  experts: true,
  awq: [],
  notPacked: 'it does not run yet',
  remarks: [
    'converts, and does not run yet: streams mixed by Sinkhorn, compressed entries and their index have no rooms',
    'every tensor keeps the type it is stored in, whatever --outtype says: FP4 experts are MXFP4, FP8 becomes Q8_0, as in llama.cpp',
    'draft blocks (mtp.*) are left out, as llama.cpp’s converter does; so is its chat template, which is no part of the checkpoint',
  ],
};
