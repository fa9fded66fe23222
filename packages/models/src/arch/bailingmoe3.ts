// Ling 3.0: the last block of every group has latent attention with a gate for each head, the others Kimi's delta attention;
// a few dense blocks, then experts as DeepSeek V3 has them. GGUF: BailingMoeV3Model of llama.cpp's
// conversion/bailingmoe3.py.
import { exponential } from '../change/mapped-values.ts';
import { column, reshaped } from '../change/reshaped.ts';
import type { KimiDeltaSpec } from '../forward/mixers/kimi-delta/spec.ts';
import type { Network } from '../forward/network.ts';
import { rmsNorm } from '../forward/norm.ts';
import type { NetworkReader } from '../network-reader.ts';
import type { Architecture, ConfigRule, Json, TensorRule } from './architecture.ts';
import { decoder, preNormBlock, readBlocks, readEps, readGatedMlp } from './decoder.ts';
import { innerEpsRemark } from './deepseek.ts';
import { inBlock, mlpTensors, outsideBlocks } from './dense.ts';
import { alsoInDraft, draftCount, furtherLayer, lingDraft } from './draft-blocks.ts';
import {
  fixedForLatent,
  latentConfig,
  latentRope,
  latentSizes,
  latentTensors,
  readLatentAttention,
  yarnScale,
} from './latent.ts';
import { everyNth, layerTypes } from './layer-types.ts';
import { inDenseBlocks, inSparseBlocks, leadingDense } from './leading-dense.ts';
import { expertTensors, maxExperts, plainSharedExpertTensors } from './mixture.ts';
import { maxBlocks } from './model-numbers.ts';
import { readExperts, readSharedExpert } from './read-experts.ts';

const kinds = ['linear_attention', 'full_attention'] as const;
const kindsOf = (config: Json) =>
  layerTypes(config, kinds, everyNth(config.layer_group_size ?? 6, 'linear_attention', 'full_attention'));

/** Of the delta attention; transformers 5 calls the rotary part of latent attention `head_dim`. */
const headLength = (config: Json): number => config.linear_head_dim ?? config.head_dim ?? 128;

/** One key for all heads of latent attention, none where there is none. */
const kvHeads: ConfigRule = {
  gguf: ['attention.head_count_kv'],
  type: 'int32',
  made: (config, { draftBlocks }) => [
    ...kindsOf(config).map((kind) => (kind === 'full_attention' ? 1 : 0)),
    ...Array<number>(draftBlocks).fill(1),
  ],
  back: (numbers) => {
    const full = numbers.list('attention.head_count_kv')!.slice(0, numbers.blocks - numbers.draftBlocks);
    return {
      layer_types: full.map((heads) => kinds[heads ? 1 : 0]),
      layer_group_size: full.indexOf(1) + 1 || full.length + 1,
      num_key_value_heads: numbers.at('attention.head_count'),
    };
  },
};

const uint32 = { type: 'uint32' } as const;

/** Ranks and lengths of latent attention, which do not stand together here. */
const latent = latentConfig({ queryRank: null, rank: 512, plain: 128, rotary: 64, value: 128 });
const latentRule = (key: string): ConfigRule =>
  [...latent.ranks, latent.rotary].find(({ gguf }) => gguf[0] === `attention.${key}` || gguf[0] === key)!;

const config: Architecture['config'] = [
  { ...uint32, hf: 'num_hidden_layers', gguf: ['block_count'], max: maxBlocks, plusDraft: true },
  {
    ...uint32,
    hf: ['max_position_embeddings', 'model_max_length'],
    gguf: ['context_length'],
    missing: () => 262144,
  },
  { ...uint32, hf: 'hidden_size', gguf: ['embedding_length'] },
  { ...uint32, hf: 'intermediate_size', gguf: ['feed_forward_length'] },
  { ...uint32, hf: 'num_attention_heads', gguf: ['attention.head_count'] },
  kvHeads,
  'rope',
  { hf: 'rms_norm_eps', gguf: ['attention.layer_norm_rms_epsilon'], type: 'float32', missing: () => 1e-6 },
  { ...uint32, hf: ['num_experts', 'num_local_experts'], gguf: ['expert_count'], max: maxExperts },
  {
    ...uint32,
    hf: ['num_experts_per_tok', 'num_experts_per_token'],
    gguf: ['expert_used_count'],
    max: maxExperts,
    missing: () => 8,
  },
  { ...uint32, hf: ['n_group', 'num_expert_group'], gguf: ['expert_group_count'], missing: () => 8 },
  { ...uint32, hf: 'topk_group', gguf: ['expert_group_used_count'], missing: () => 4 },
  { ...uint32, gguf: ['expert_gating_func'], made: () => 2, back: () => ({ score_function: 'sigmoid' }) },
  latentRule('key_length'),
  {
    ...uint32,
    gguf: ['attention.value_length'],
    made: headLength,
    back: (numbers) => ({ head_dim: numbers.at('kda.head_dim') }),
  },
  'fileType',
  { ...uint32, hf: 'vocab_size', gguf: ['vocab_size'] },
  {
    ...uint32,
    hf: ['short_conv_kernel_size', 'linear_conv_kernel_dim'],
    gguf: ['ssm.conv_kernel'],
    missing: () => 4,
  },
  { ...uint32, gguf: ['kda.head_dim'], made: headLength, back: () => ({ no_kda_lora: true }) },
  { hf: 'kda_safe_gate', gguf: ['kda.safe_gate'], type: 'bool', missing: () => true },
  { hf: 'kda_lower_bound', gguf: ['kda.gate_lower_bound'], type: 'float32', min: -1e6, max: 0, missing: () => -5 },
  latentRule('q_lora_rank'),
  latentRule('kv_lora_rank'),
  latentRule('rope.dimension_count'),
  latentRule('key_length_mla'),
  latentRule('value_length_mla'),
  { ...uint32, hf: 'moe_intermediate_size', gguf: ['expert_feed_forward_length'], missing: () => 768 },
  {
    ...uint32,
    gguf: ['expert_shared_feed_forward_length'],
    made: ({ moe_shared_expert_intermediate_size: width, moe_intermediate_size: each = 768, ...rest }) =>
      width ?? each * (rest.num_shared_experts ?? rest.n_shared_experts ?? 1),
    back: (numbers) => ({
      moe_shared_expert_intermediate_size: numbers.at('expert_shared_feed_forward_length'),
      gated_attention_proj_granularity_type: 'head_wise',
    }),
  },
  {
    ...uint32,
    hf: ['num_shared_experts', 'n_shared_experts'],
    gguf: ['expert_shared_count'],
    max: maxExperts,
    missing: () => 1,
  },
  leadingDense(() => 2),
  { hf: 'routed_scaling_factor', gguf: ['expert_weights_scale'], type: 'float32', missing: () => 2.5 },
  { hf: ['norm_topk_prob', 'moe_renormalize'], gguf: ['expert_weights_norm'], type: 'bool', missing: () => true },
  draftCount('num_nextn_predict_layers'),
  ...yarnScale,
];

const isDelta: NonNullable<TensorRule['blocks']> = ({ numbers, block }) =>
  numbers.at('attention.head_count_kv', block) === 0;

const inDelta = (hf: string, gguf: string, shape: TensorRule['shape'], rest: Parameters<typeof inBlock>[3] = {}) =>
  inBlock(`attention.${hf}`, gguf, shape, { ...rest, blocks: isDelta });

/** [channels, 1, taps] in the checkpoint. */
const kernel = { changes: [reshaped(([, channels, , taps]) => [channels!, 1, taps!])] };

const deltaTensors: readonly TensorRule[] = [
  ...['q', 'k', 'v'].flatMap((part) => [
    inDelta(`${part}_proj.weight`, `attn_${part}.weight`, ['deltaInner', 'embd']),
    inDelta(`${part}_conv1d.weight`, `ssm_conv1d_${part}.weight`, ['one', 'deltaInner', 'one', 'ssmTaps'], kernel),
  ]),
  inDelta('f_proj.weight', 'ssm_f_a.weight', ['deltaInner', 'embd']),
  inDelta('g_proj.weight', 'ssm_g_a.weight', ['deltaInner', 'embd']),
  inDelta('b_proj.weight', 'ssm_beta.weight', ['heads', 'embd']),
  inDelta('A_log', 'ssm_a', ['heads', 'one'], { changes: [exponential, column], f32: true }),
  inDelta('dt_bias', 'ssm_dt.bias', ['deltaInner'], { f32: true }),
  inDelta('o_norm.weight', 'ssm_norm.weight', ['deltaHead']),
  inDelta('dense.weight', 'attn_output.weight', ['embd', 'deltaInner'], {
    also: [{ name: 'model.layers.{i}.attention.o_proj.weight' }],
  }),
];

const fullTensors: readonly TensorRule[] = [
  ...latentTensors('attention'),
  inBlock('attention.g_proj.weight', 'attn_gate.weight', ['heads', 'embd']),
  inBlock('attention.dense.weight', 'attn_output.weight', ['embd', 'attnOut']),
].map(({ blocks = () => true, ...rule }) => ({ ...rule, blocks: (place) => !isDelta(place) && blocks(place) }));

const readDelta = (read: NetworkReader, eps: number): KimiDeltaSpec => ({
  kind: 'kimi-delta',
  heads: read.uniformInteger('attention.head_count', 1, 1 << 16),
  headLength: read.integer('kda.head_dim', 1, 1024),
  taps: read.integer('ssm.conv_kernel', 2, 16),
  ...(read.optionalSwitch('kda.safe_gate', true) && { lowerBound: read.number('kda.gate_lower_bound', -1e6, 0) }),
  eps,
});

function network(read: NetworkReader): Network {
  const eps = readEps(read);
  const keys = read.perLayer('attention.head_count_kv', readBlocks(read), 0, 1);
  const [delta, full] = [readDelta(read, eps), { ...readLatentAttention(read), gated: true } as const];
  const dense = read.optionalInteger('leading_dense_block_count', 0, 0, 1 << 16);
  const mlp = readGatedMlp(read);
  const experts = readExperts(read, { over: 'all', score: 'sigmoid', block: dense });
  const shared = readSharedExpert(read, experts);
  const made = decoder(read, (i) =>
    preNormBlock(eps, keys[i] ? full : delta, ...(i < dense ? [mlp] : [experts, ...shared])),
  );
  return { ...made, draft: made.draft.map((draft) => ({ ...draft, norm: rmsNorm('layer_output_norm', eps) })) };
}

export const bailingmoe3: Architecture = {
  family: 'bailingmoe3',
  name: 'bailingmoe3',
  hf: ['BailingMoeV3ForCausalLM', 'BailingHybridForCausalLM'],
  modelType: 'bailing_hybrid',
  config,
  fixed: [
    ...fixedForLatent,
    { key: 'score_function', values: ['sigmoid'], why: 'experts are weighed by sigmoid' },
    { key: 'moe_router_enable_expert_bias', values: [true], why: 'experts are chosen with a bias' },
    { key: 'no_kda_lora', values: [true], why: 'gates of low rank are not mapped' },
    {
      key: 'gated_attention_proj_granularity_type',
      values: ['head_wise'],
      why: 'latent attention has a gate for each head',
    },
  ],
  ignored: ['num_key_value_heads', 'qk_head_dim'],
  unsupported: ({ linear_num_heads: heads, num_attention_heads: all }) =>
    heads === undefined || heads === all ? undefined : `"linear_num_heads" ${heads} other than "num_attention_heads"`,
  rope: { ...latentRope, theta: 6e6 },
  slidingWindow: false,
  sizes: (numbers, block, standard) => {
    const deltaHead = numbers.at('kda.head_dim')!;
    return { ...latentSizes(numbers, block, standard), deltaHead, deltaInner: standard.heads! * deltaHead };
  },
  tensors: [
    outsideBlocks('model.word_embeddings.weight', 'token_embd.weight', ['vocab', 'embd']),
    outsideBlocks('model.norm.weight', 'output_norm.weight', ['embd']),
    outsideBlocks('lm_head.weight', 'output.weight', ['vocab', 'embd'], 'untied'),
    ...alsoInDraft([
      inBlock('input_layernorm.weight', 'attn_norm.weight', ['embd']),
      ...fullTensors,
      inBlock('post_attention_layernorm.weight', 'ffn_norm.weight', ['embd']),
      ...inSparseBlocks([
        ...expertTensors('mlp', { gate: 'gate_proj', up: 'up_proj', down: 'down_proj' }),
        inBlock('mlp.gate.expert_bias', 'exp_probs_b.bias', ['experts'], {
          f32: true,
          also: [{ name: 'model.layers.{i}.mlp.gate.e_score_correction_bias' }],
        }),
        ...plainSharedExpertTensors,
      ]),
    ]),
    ...deltaTensors,
    ...inDenseBlocks(mlpTensors),
    ...lingDraft,
  ],
  experts: true,
  network,
  awq: [],
  notPacked: 'latent attention multiplies with matrices that the checkpoint stores in another form',
  draft: { count: (json) => json.num_nextn_predict_layers ?? json.num_mtp_layers ?? 1, start: furtherLayer },
  preTokenizers: { bailingmoe: 'bailingmoe2' },
  remarks: [
    innerEpsRemark,
    'an incomplete last group of blocks is delta attention, as in transformers; llama.cpp’s converter makes it latent attention',
    'kda_safe_gate false runs as in transformers; llama.cpp refuses such models',
  ],
};
