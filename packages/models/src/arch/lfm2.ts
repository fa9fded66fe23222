// LFM2: short convolutions, and attention in some blocks. What checkpoints call the norm of the embedding is the norm before
// the output. GGUF: LFM2Model of llama.cpp's conversion/lfm2.py.
import { squeezedKernel } from '../change/reshaped.ts';
import type { FeedForwardSpec } from '../forward/feed-forwards/index.ts';
import type { Network } from '../forward/network.ts';
import { rmsNorm } from '../forward/norm.ts';
import type { NetworkReader } from '../network-reader.ts';
import type { Architecture, ConfigRule, Json, ScalingPair, TensorRule } from './architecture.ts';
import { configError, count, show } from './config-error.ts';
import { decoder, preNormBlock, readAttention, readBlocks, readEps, readGatedMlp } from './decoder.ts';
import { attentionPairs, denseConfig, inBlock, outsideBlocks } from './dense.ts';
import { layerTypes } from './layer-types.ts';
import { hasAttention, inBlocks } from './mamba2.ts';

const kinds = ['conv', 'full_attention'] as const;

/** Older files have the numbers of the blocks with attention; without any list all have it. */
function attentionIn(config: Json): boolean[] {
  const numbers: unknown = config.full_attn_idxs;
  if (numbers !== null && numbers !== undefined && !Array.isArray(numbers))
    throw configError(`"full_attn_idxs" is ${show(numbers)}, a list is needed`);
  const has = (block: number) => !Array.isArray(numbers) || numbers.includes(block);
  return layerTypes(config, kinds, (block) => kinds[has(block) ? 1 : 0]).map((kind) => kind === 'full_attention');
}

const kvHeads: ConfigRule = {
  gguf: ['attention.head_count_kv'],
  type: 'uint32',
  made: (config) => inBlocks(count(config, 'num_key_value_heads', { missing: 8 }), attentionIn(config)),
  back: (numbers) => {
    const list = numbers.list('attention.head_count_kv')!;
    return {
      num_key_value_heads: Math.max(...list),
      layer_types: list.map((heads) => kinds[heads > 0 ? 1 : 0]),
    };
  },
};

/** transformers' Lfm2MLP: two thirds, times a factor, rounded up, unless config.json says that it is adjusted. */
const adjustedWidth: ConfigRule = {
  gguf: ['feed_forward_length'],
  type: 'uint32',
  made: (config) => {
    const width = count(config, config.block_ff_dim === undefined ? 'intermediate_size' : 'block_ff_dim');
    const { block_ffn_dim_multiplier: factor = 1, block_multiple_of: unit = 256 } = config;
    if (config.block_auto_adjust_ff_dim === false) return width;
    const part = Math.floor((2 * width) / 3);
    return factor === null ? part : unit * Math.ceil(Math.floor(factor * part) / unit);
  },
  back: (numbers) => ({ intermediate_size: numbers.at('feed_forward_length')!, block_auto_adjust_ff_dim: false }),
};

/** @param changed rules in place of those of a dense model */
export const lfm2Config = (
  experts: readonly ConfigRule[] = [],
  behind: readonly ConfigRule[] = [],
  changed: readonly ConfigRule[] = [adjustedWidth],
): Architecture['config'] => {
  const rules: ConfigRule[] = [
    ...changed,
    kvHeads,
    { hf: 'norm_eps', gguf: ['attention.layer_norm_rms_epsilon'], type: 'float32', missing: () => 1e-5 },
  ];
  const inPlace = (rule: Architecture['config'][number]) =>
    (typeof rule === 'object' && rules.find(({ gguf }) => gguf[0] === rule.gguf[0])) || rule;
  return [
    ...denseConfig({ contextLength: 128000, rmsEps: 1e-5, headDim: () => undefined, experts }).map(inPlace),
    ...behind,
    { hf: 'vocab_size', gguf: ['vocab_size'], type: 'uint32' },
    { hf: 'conv_L_cache', gguf: ['shortconv.l_cache'], type: 'uint32', missing: () => 3 },
  ];
};

const isConvolution: TensorRule['blocks'] = (place) => !hasAttention(place);
const attention = { blocks: hasAttention };
const convolution = { blocks: isConvolution };

/** Everything outside the MLP. */
export const lfm2Tensors: readonly TensorRule[] = [
  outsideBlocks('model.embed_tokens.weight', 'token_embd.weight', ['vocab', 'embd']),
  outsideBlocks('model.embedding_norm.weight', 'token_embd_norm.weight', ['embd']),
  inBlock('operator_norm.weight', 'attn_norm.weight', ['embd']),
  inBlock('ffn_norm.weight', 'ffn_norm.weight', ['embd']),
  inBlock('self_attn.q_proj.weight', 'attn_q.weight', ['q', 'embd'], attention),
  inBlock('self_attn.k_proj.weight', 'attn_k.weight', ['k', 'embd'], attention),
  inBlock('self_attn.v_proj.weight', 'attn_v.weight', ['v', 'embd'], attention),
  inBlock('self_attn.out_proj.weight', 'attn_output.weight', ['embd', 'attnOut'], attention),
  inBlock('self_attn.q_layernorm.weight', 'attn_q_norm.weight', ['headDim'], attention),
  inBlock('self_attn.k_layernorm.weight', 'attn_k_norm.weight', ['headDim'], attention),
  inBlock('conv.in_proj.weight', 'shortconv.in_proj.weight', ['embdThrice', 'embd'], convolution),
  inBlock('conv.conv.weight', 'shortconv.conv.weight', ['embd', 'taps'], { changes: [squeezedKernel], ...convolution }),
  inBlock('conv.out_proj.weight', 'shortconv.out_proj.weight', ['embd', 'embd'], convolution),
];

export const lfm2Mlp = (blocks?: TensorRule['blocks']): TensorRule[] =>
  (
    [
      ['w1', 'ffn_gate', ['ff', 'embd']],
      ['w3', 'ffn_up', ['ff', 'embd']],
      ['w2', 'ffn_down', ['embd', 'ff']],
    ] as const
  ).map(([hf, gguf, shape]) =>
    inBlock(`feed_forward.${hf}.weight`, `${gguf}.weight`, shape, { ...(blocks && { blocks }) }),
  );

/** Of both kinds of mixers. */
export const lfm2Pairs: readonly ScalingPair[] = [
  ...attentionPairs,
  { prev: 'attn_norm', layers: ['shortconv.in_proj'], inspect: 'sub-layer' },
];

/** What both records share. */
export const lfm2Family = {
  fixed: [
    { key: 'conv_bias', values: [false], why: 'convolutions have no biases in GGUF' },
    { key: 'tie_word_embeddings', values: [true], why: 'the embedding is the output matrix in GGUF' },
    { key: 'tie_embedding', values: [true], why: 'the embedding is the output matrix in GGUF' },
    { key: 'block_use_swiglu', values: [true], why: 'the MLP is gated' },
    { key: 'use_pos_enc', values: [true], why: 'attention has rotary positions' },
  ],
  // Widths that are all that of the model, and how it was trained.
  ignored: [
    ...['block_dim', 'conv_dim', 'conv_dim_out', 'num_heads', 'block_norm_eps', 'theta', 'block_mlp_init_scale'],
    ...['block_out_init_scale', 'block_use_xavier_init', 'conv_use_xavier_init', 'intermediate_size'],
  ],
  rope: { types: ['default', 'linear', 'yarn'], theta: 1e6 },
  preTokenizers: { 'llama-bpe': 'lfm2' },
  slidingWindow: false,
  tied: true,
  sizes: (numbers, _block, { embd }) => ({ embdThrice: 3 * embd!, taps: numbers.at('shortconv.l_cache') ?? 3 }),
} as const satisfies Partial<Architecture>;

/** @param feedForwardOf what stands in place of the MLP */
export function lfm2Network(read: NetworkReader, feedForwardOf: (block: number) => FeedForwardSpec): Network {
  const eps = readEps(read);
  const heads = read.perLayer('attention.head_count_kv', readBlocks(read), 0, 1 << 16);
  const block = heads.findIndex((count) => count > 0);
  const qkNorm = { eps, over: 'head', at: 'before-rope' } as const;
  const attend = block < 0 ? undefined : readAttention(read, { style: 'neox', qkNorm, kvHeads: heads[block]!, block });
  const convolve = {
    kind: 'short-convolution',
    taps: read.integer('shortconv.l_cache', 2, 16),
    width: read.integer('embedding_length', 1, 1 << 20),
  } as const;
  return decoder(
    read,
    (index) => preNormBlock(eps, heads[index]! > 0 ? attend! : convolve, feedForwardOf(index)),
    rmsNorm('token_embd_norm', eps),
  );
}

export const lfm2: Architecture = {
  ...lfm2Family,
  family: 'lfm2',
  name: 'lfm2',
  hf: ['Lfm2ForCausalLM', 'LFM2ForCausalLM'],
  modelType: 'lfm2',
  config: lfm2Config(),
  tensors: [...lfm2Tensors, ...lfm2Mlp()],
  awq: [
    ...lfm2Pairs,
    { prev: 'ffn_norm', layers: ['ffn_gate', 'ffn_up'], inspect: 'sub-layer' },
    { prev: 'ffn_up', layers: ['ffn_down'], inspect: 'layer' },
  ],
  network: (read) => {
    const mlp = readGatedMlp(read);
    return lfm2Network(read, () => mlp);
  },
};
