// Ling 1.x (BailingMoe): Llama's attention with q, k and v in one matrix, experts of softmax in every block. Ling 2.0
// (BailingMoeV2): heads normed, rope on half of each, a few dense blocks, then experts as DeepSeek V3 has them, and draft
// blocks. GGUF: BailingMoeModel and BailingMoeV2Model of llama.cpp's conversion/bailingmoe.py.
import { type Heads, halvesToPairs } from '../change/permuted-heads.ts';
import type { ExpertsSpec } from '../forward/feed-forwards/experts/spec.ts';
import type { FeedForwardSpec } from '../forward/feed-forwards/index.ts';
import { rmsNorm } from '../forward/norm.ts';
import type { NetworkReader } from '../network-reader.ts';
import type { Architecture, ConfigRule, FixedConfig, TensorRule } from './architecture.ts';
import { decoder, preNormBlock, readAttention, readEps, readGatedMlp } from './decoder.ts';
import { denseConfig, fixedForDense, inBlock, mlpTensors, noWindow, outsideBlocks, windowKeys } from './dense.ts';
import { alsoInDraft, draftCount, furtherLayer, lingDraft } from './draft-blocks.ts';
import { inDenseBlocks, inSparseBlocks, leadingDense } from './leading-dense.ts';
import {
  expertCounts,
  expertTensors,
  maxExperts,
  mixedFeedForwardPairs,
  plainSharedExpertTensors,
  sharedMixturePairs,
} from './mixture.ts';
import { readExperts } from './read-experts.ts';
import { rotaryPart } from './rotary-part.ts';

const vocabulary: ConfigRule = { hf: 'vocab_size', gguf: ['vocab_size'], type: 'uint32' };
const sharedCount: ConfigRule = {
  hf: ['num_shared_experts', 'n_shared_experts'],
  gguf: ['expert_shared_count'],
  type: 'uint32',
  max: maxExperts,
  missing: () => 1,
};
const normalized: ConfigRule = {
  hf: 'norm_topk_prob',
  gguf: ['expert_weights_norm'],
  type: 'bool',
  missing: () => true,
};

/** @param part of each head that rope turns, when config.json says nothing */
const rotaryDims = (part: number): ConfigRule => ({
  gguf: ['rope.dimension_count'],
  type: 'uint32',
  made: (config) =>
    Math.floor(
      (config.head_dim ?? Math.floor(config.hidden_size / config.num_attention_heads)) * (rotaryPart(config) ?? part),
    ),
  back: (numbers) => {
    const even = numbers.at('embedding_length')! / numbers.at('attention.head_count')!;
    return {
      partial_rotary_factor: numbers.at('rope.dimension_count')! / (numbers.at('attention.key_length') ?? even),
    };
  },
});

const fixed: readonly FixedConfig[] = [
  ...fixedForDense,
  noWindow,
  { key: 'use_bias', values: [false], why: 'GGUF has no biases for it' },
  { key: 'use_qkv_bias', values: [false], why: 'GGUF has no biases for it' },
  { key: 'use_rmsnorm', values: [true], why: 'norms are RMS norms' },
  { key: 'norm_head', values: [false], why: 'the output matrix is taken as it is stored' },
];

const outside: readonly TensorRule[] = [
  outsideBlocks('model.word_embeddings.weight', 'token_embd.weight', ['vocab', 'embd']),
  outsideBlocks('model.norm.weight', 'output_norm.weight', ['embd']),
  outsideBlocks('lm_head.weight', 'output.weight', ['vocab', 'embd'], 'untied'),
];
const norms = [
  inBlock('input_layernorm.weight', 'attn_norm.weight', ['embd']),
  inBlock('post_attention_layernorm.weight', 'ffn_norm.weight', ['embd']),
];
const output = inBlock('attention.dense.weight', 'attn_output.weight', ['embd', 'attnOut']);
const experts = [
  ...expertTensors('mlp', { gate: 'gate_proj', up: 'up_proj', down: 'down_proj' }),
  ...plainSharedExpertTensors,
];

const ignored = [...windowKeys, 'embedding_dropout', 'output_dropout', 'router_dtype'];

/** The experts that every token uses are one, as wide as all of them. */
function withShared(read: NetworkReader, routed: ExpertsSpec): FeedForwardSpec[] {
  const count = read.optionalInteger('expert_shared_count', 0, 0, maxExperts);
  const { width, activation } = routed;
  return count > 0 ? [routed, { kind: 'shared-expert', width: count * width, activation, gated: false }] : [routed];
}

/** A part of `query_key_value`. */
const cut = (index: number, name: 'q' | 'k' | 'v', heads?: Heads): TensorRule =>
  inBlock('attention.query_key_value.weight', `attn_${name}.weight`, [name, 'embd'], {
    part: { index, of: ['q', 'k', 'v'] },
    ...(heads && { changes: [halvesToPairs(heads)] }),
  });

export const bailingmoe: Architecture = {
  family: 'bailingmoe',
  name: 'bailingmoe',
  hf: ['BailingMoeForCausalLM'],
  modelType: 'bailing_moe',
  config: [
    ...denseConfig({
      contextLength: 16384,
      rmsEps: 1e-5,
      headDim: () => undefined,
      experts: expertCounts({ experts: 16, used: 2 }),
    }),
    rotaryDims(1),
    leadingDense(() => 0),
    vocabulary,
    { hf: 'moe_intermediate_size', gguf: ['expert_feed_forward_length'], type: 'uint32' },
    { gguf: ['expert_weights_scale'], type: 'float32', made: () => 1 },
    sharedCount,
    normalized,
  ],
  fixed: [
    ...fixed,
    { key: 'first_k_dense_replace', values: [0], why: 'every block has experts' },
    { key: 'multi_gate', values: [false], why: 'there is one router' },
    { key: 'norm_softmax', values: [false], why: 'the router is a plain softmax' },
    { key: 'partial_rotary_factor', values: [1], why: 'rope covers the whole head' },
  ],
  ignored,
  rope: { types: ['default', 'linear', 'yarn'] },
  slidingWindow: false,
  tensors: [...outside, ...norms, cut(0, 'q', 'heads'), cut(1, 'k', 'kvHeads'), cut(2, 'v'), output, ...experts],
  experts: true,
  network: (read) => {
    const feedForwards = withShared(read, readExperts(read, { over: 'chosen' }));
    const block = preNormBlock(readEps(read), readAttention(read, { style: 'norm' }), ...feedForwards);
    return decoder(read, () => block);
  },
  awq: sharedMixturePairs.map((pair) => ({
    ...pair,
    ...(pair.followers && { followers: pair.followers.filter((name) => name !== 'ffn_gate_inp_shexp') }),
  })),
};

export const bailingmoe2: Architecture = {
  family: 'bailingmoe2',
  name: 'bailingmoe2',
  hf: ['BailingMoeV2ForCausalLM'],
  modelType: ['bailing_moe_v2', 'bailing_moe'],
  config: [
    ...denseConfig({
      contextLength: 32768,
      rmsEps: 1e-6,
      headDim: () => undefined,
      experts: [
        ...expertCounts({ experts: 256, used: 8 }),
        { hf: 'n_group', gguf: ['expert_group_count'], type: 'uint32', max: maxExperts, missing: () => 8 },
        { hf: 'topk_group', gguf: ['expert_group_used_count'], type: 'uint32', max: maxExperts, missing: () => 4 },
        {
          gguf: ['expert_gating_func'],
          type: 'uint32',
          made: () => 2,
          back: () => ({ score_function: 'sigmoid', moe_router_enable_expert_bias: true, use_qk_norm: true }),
        },
      ],
    }),
    rotaryDims(0.5),
    leadingDense(() => 1),
    vocabulary,
    { hf: 'moe_intermediate_size', gguf: ['expert_feed_forward_length'], type: 'uint32', missing: () => 512 },
    {
      gguf: ['expert_shared_feed_forward_length'],
      type: 'uint32',
      made: ({ moe_shared_expert_intermediate_size: width, moe_intermediate_size: each = 512, ...rest }) =>
        width ?? each * (rest.num_shared_experts ?? rest.n_shared_experts ?? 1),
      back: (numbers) => ({
        moe_shared_expert_intermediate_size: numbers.at('expert_shared_feed_forward_length'),
      }),
    },
    { hf: 'routed_scaling_factor', gguf: ['expert_weights_scale'], type: 'float32', missing: () => 2.5 },
    sharedCount,
    normalized,
    draftCount('num_nextn_predict_layers', { zero: true }),
  ],
  fixed: [
    ...fixed,
    { key: 'score_function', values: ['sigmoid'], why: 'experts are weighed by sigmoid' },
    { key: 'moe_router_enable_expert_bias', values: [true], why: 'experts are chosen with a bias' },
    { key: 'use_qk_norm', values: [true], why: 'q and k are normed head by head' },
  ],
  ignored,
  rope: { types: ['default', 'linear', 'yarn'], partial: 0.5 },
  slidingWindow: false,
  sizes: (numbers, _block, { expertFf }) => ({ sharedFf: numbers.at('expert_shared_count')! * expertFf! }),
  tensors: [
    ...outside,
    ...alsoInDraft([
      ...norms,
      inBlock('attention.query_key_value.weight', 'attn_qkv.weight', ['qkv', 'embd']),
      inBlock('attention.query_layernorm.weight', 'attn_q_norm.weight', ['headDim']),
      inBlock('attention.key_layernorm.weight', 'attn_k_norm.weight', ['headDim']),
      output,
      ...inSparseBlocks([...experts, inBlock('mlp.gate.expert_bias', 'exp_probs_b.bias', ['experts'], { f32: true })]),
    ]),
    ...inDenseBlocks(mlpTensors),
    ...lingDraft,
  ],
  experts: true,
  network: (read) => {
    const eps = readEps(read);
    const attention = readAttention(read, { style: 'neox', qkNorm: { eps, over: 'head', at: 'before-rope' } });
    const dense = read.optionalInteger('leading_dense_block_count', 0, 0, 1 << 16);
    const mlp = readGatedMlp(read);
    const sparse = withShared(read, readExperts(read, { over: 'chosen', score: 'sigmoid', block: dense }));
    const made = decoder(read, (i) => preNormBlock(eps, attention, ...(i < dense ? [mlp] : sparse)));
    return { ...made, draft: made.draft.map((draft) => ({ ...draft, norm: rmsNorm('layer_output_norm', eps) })) };
  },
  awq: [{ prev: 'attn_norm', layers: ['attn_qkv'], inspect: 'sub-layer' }, ...mixedFeedForwardPairs],
  draft: { count: (json) => json.num_nextn_predict_layers ?? json.num_mtp_layers ?? 0, start: furtherLayer },
  preTokenizers: { bailingmoe: 'bailingmoe2' },
};
