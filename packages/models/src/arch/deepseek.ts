// DeepSeek V2 and V3 (also R1, V3.1, Moonlight, Kimi K2): latent attention, a few dense blocks, then experts and shared
// ones. V2 weighs by softmax and knows groups by their best expert; V3 by sigmoid, with a bias for the choice.
import type { Network } from '../forward/network.ts';
import type { NetworkReader } from '../network-reader.ts';
import type { Architecture, ConfigRule, FileFacts, FixedConfig, Json, TensorRule } from './architecture.ts';
import { isAbsent } from './config-error.ts';
import { decoder, preNormBlock, readEps, readGatedMlp } from './decoder.ts';
import { denseConfig, embeddingTensors, inBlock, mlpTensors } from './dense.ts';
import { alsoInDraft, draftCount, furtherLayer, furtherLayerDraft } from './draft-blocks.ts';
import {
  fixedForLatent,
  ignoredForLatent,
  type LatentDefaults,
  latentConfig,
  latentRope,
  latentSizes,
  latentTensors,
  readLatentAttention,
  yarnScale,
} from './latent.ts';
import { inDenseBlocks, inSparseBlocks, leadingDense } from './leading-dense.ts';
import { expertCounts, expertStacks, maxExperts, plainSharedExpertTensors } from './mixture.ts';
import type { ModelNumbers } from './model-numbers.ts';
import { readExperts, readSharedExpert } from './read-experts.ts';

/** What config.json's classes fill in. */
export interface DeepseekDefaults extends LatentDefaults {
  contextLength: number;
  rmsEps: number;
  experts: number;
  used: number;
  shared: number;
  expertWidth: number;
  groups?: number;
  groupsUsed?: number;
  scale: number;
  normalized: boolean;
  dense: number;
}

const scoring = { softmax: 1, sigmoid: 2 } as const;

/** For classes that mean sigmoid whether config.json says so or not. */
export const sigmoidRouter: ConfigRule = {
  gguf: ['expert_gating_func'],
  type: 'uint32',
  made: () => scoring.sigmoid,
  back: () => ({ scoring_func: 'sigmoid' }),
};

export const fixedForSigmoid: readonly FixedConfig[] = [
  { key: 'scoring_func', values: ['sigmoid'], why: 'the class weighs experts by sigmoid' },
  { key: 'topk_method', values: ['noaux_tc'], why: 'experts are chosen with a bias' },
];

/** @param gating the key of the router's function, which some classes leave to their name */
export function deepseekConfig(missing: DeepseekDefaults, gating: ConfigRule): Architecture['config'] {
  const { kvHeads, early, ranks, rotary } = latentConfig(missing);
  const rules = denseConfig({
    contextLength: missing.contextLength,
    rmsEps: missing.rmsEps,
    headDim: () => undefined,
    experts: [
      ...expertCounts(missing, ['n_routed_experts', 'num_experts', 'num_local_experts']),
      ...routerGroups(missing),
      gating,
      ...early,
    ],
  });
  const isKvHeads = (rule: (typeof rules)[number]) =>
    typeof rule === 'object' && rule.gguf[0] === 'attention.head_count_kv';
  const isHeadDim = (rule: (typeof rules)[number]) =>
    typeof rule === 'object' && 'hf' in rule && rule.hf === 'head_dim';
  return [
    ...rules.filter((rule) => !isHeadDim(rule)).map((rule) => (isKvHeads(rule) ? kvHeads : rule)),
    leadingDense(() => missing.dense),
    { hf: 'vocab_size', gguf: ['vocab_size'], type: 'uint32' },
    ...ranks,
    {
      hf: 'moe_intermediate_size',
      gguf: ['expert_feed_forward_length'],
      type: 'uint32',
      missing: () => missing.expertWidth,
    },
    {
      hf: 'n_shared_experts',
      gguf: ['expert_shared_count'],
      type: 'uint32',
      min: 0,
      max: maxExperts,
      missing: ({ n_shared_experts: given }) => (given === null ? 0 : missing.shared),
    },
    { hf: 'routed_scaling_factor', gguf: ['expert_weights_scale'], type: 'float32', missing: () => missing.scale },
    {
      gguf: ['expert_weights_norm'],
      type: 'bool',
      made: ({ norm_topk_prob: given }) => ((given ?? missing.normalized) ? true : undefined),
      back: (numbers) => ({ norm_topk_prob: numbers.isTrue('expert_weights_norm') }),
    },
    rotary,
    ...yarnScale,
    draftCount('num_nextn_predict_layers'),
  ];
}

/** With `topk_method` "greedy" all groups are open, which llama.cpp does not know from anything else. */
function routerGroups({ groups, groupsUsed }: DeepseekDefaults): ConfigRule[] {
  const rule = (key: string, gguf: string, missing: number | undefined): ConfigRule => ({
    gguf: [gguf],
    type: 'uint32',
    made: (config) => {
      const counted = isGreedy(config) && !isAbsent(config.n_group) ? config.n_group : (config[key] ?? missing);
      return isAbsent(counted) ? undefined : Number(counted);
    },
    back: (numbers) => ({ [key]: numbers.at(gguf) ?? null, topk_method: methodOf(numbers) }),
  });
  return [rule('n_group', 'expert_group_count', groups), rule('topk_group', 'expert_group_used_count', groupsUsed)];
}

const methodOf = (numbers: ModelNumbers): string => {
  if (numbers.at('expert_gating_func') === scoring.sigmoid) return 'noaux_tc';
  const groups = numbers.at('expert_group_count') ?? 1;
  return groups > (numbers.at('expert_group_used_count') ?? groups) ? 'group_limited_greedy' : 'greedy';
};

const isGreedy = ({ topk_method: method }: Json): boolean => method === 'greedy';

const hasShared: NonNullable<TensorRule['blocks']> = ({ numbers }) => (numbers.at('expert_shared_count') ?? 0) > 0;

const blockTensors = [
  inBlock('input_layernorm.weight', 'attn_norm.weight', ['embd']),
  ...latentTensors(),
  inBlock('self_attn.o_proj.weight', 'attn_output.weight', ['embd', 'attnOut']),
  inBlock('post_attention_layernorm.weight', 'ffn_norm.weight', ['embd']),
  ...inSparseBlocks([
    inBlock('mlp.gate.weight', 'ffn_gate_inp.weight', ['experts', 'embd']),
    inBlock('mlp.gate.e_score_correction_bias', 'exp_probs_b.bias', ['experts'], { presence: 'optional', f32: true }),
    ...expertStacks('mlp', { gate: 'gate_proj', up: 'up_proj', down: 'down_proj' }),
  ]),
  ...inSparseBlocks(plainSharedExpertTensors, hasShared),
];

export const deepseekTensors = [
  ...embeddingTensors,
  ...alsoInDraft(blockTensors),
  ...inDenseBlocks(mlpTensors),
  ...furtherLayerDraft,
];

function deepseekNetwork(read: NetworkReader): Network {
  const eps = readEps(read);
  const attention = readLatentAttention(read);
  const dense = read.optionalInteger('leading_dense_block_count', 0, 0, 1 << 16);
  // Files without the key of the function: those of V3 have a bias for the choice, those of V2 have none.
  const score = read.hasTensor(`blk.${dense}.exp_probs_b.bias`) ? 'sigmoid' : 'softmax';
  const experts = readExperts(read, { over: 'all', score, block: dense });
  const shared = readSharedExpert(read, experts);
  const block = (i: number) =>
    i < dense ? preNormBlock(eps, attention, readGatedMlp(read)) : preNormBlock(eps, attention, experts, ...shared);
  return decoder(read, block);
}

export const deepseekFamily = {
  name: 'deepseek2',
  slidingWindow: false,
  rope: latentRope,
  ignored: ignoredForLatent,
  tensors: deepseekTensors,
  sizes: latentSizes,
  experts: true,
  network: deepseekNetwork,
  awq: [],
  notPacked: 'latent attention multiplies with matrices that the checkpoint stores in another form',
  draft: { count: (config) => config.num_nextn_predict_layers ?? config.num_mtp_layers ?? 1, start: furtherLayer },
} as const satisfies Partial<Architecture>;

const isSigmoid = ({ number }: FileFacts): boolean => number('expert_gating_func') === scoring.sigmoid;

export const innerEpsRemark =
  'norms inside latent attention: transformers has eps 1e-6 there, llama.cpp that of the others';

export const deepseek2: Architecture = {
  ...deepseekFamily,
  family: 'deepseek2',
  hf: ['DeepseekV2ForCausalLM'],
  modelType: 'deepseek_v2',
  config: deepseekConfig(
    {
      contextLength: 2048,
      rmsEps: 1e-6,
      ...{ queryRank: 1536, rank: 512, plain: 128, rotary: 64, value: 128 },
      ...{ experts: 64, used: 6, shared: 2, expertWidth: 1407, scale: 1, normalized: false, dense: 0 },
    },
    { hf: 'scoring_func', gguf: ['expert_gating_func'], type: 'uint32', words: scoring, missing: () => undefined },
  ),
  fixed: [
    ...fixedForLatent,
    { key: 'mlp_bias', values: [false], why: 'biases in the MLP are not mapped' },
    { key: 'scoring_func', values: ['softmax'], why: 'the class weighs experts by softmax' },
    {
      key: 'topk_method',
      values: ['greedy', 'group_limited_greedy'],
      why: 'other ways to choose experts are not known',
    },
    { key: 'norm_topk_prob', values: [false], why: 'transformers does not normalize the weights of V2' },
  ],
  isOf: (file) => !isSigmoid(file),
  remarks: [
    innerEpsRemark,
    'groups of experts (the 236B model) count by their best expert, as in transformers; llama.cpp takes the two best',
  ],
};

export const deepseek3: Architecture = {
  ...deepseekFamily,
  family: 'deepseek3',
  hf: ['DeepseekV3ForCausalLM', 'KimiVLForConditionalGeneration', 'KimiK25ForConditionalGeneration'],
  modelType: ['deepseek_v3', 'kimi_k2'],
  config: deepseekConfig(
    {
      contextLength: 4096,
      rmsEps: 1e-6,
      ...{ queryRank: 1536, rank: 512, plain: 128, rotary: 64, value: 128 },
      ...{ experts: 256, used: 8, shared: 1, expertWidth: 2048, scale: 2.5, normalized: true, dense: 3 },
      ...{ groups: 8, groupsUsed: 4 },
    },
    sigmoidRouter,
  ),
  fixed: [...fixedForLatent, ...fixedForSigmoid],
  isOf: isSigmoid,
  leftOut: [{ start: 'mm_projector.', what: 'projector of the vision tower' }],
  remarks: [
    innerEpsRemark,
    'the router is sigmoid, which the class always means: quern writes deepseek2.expert_gating_func, without which llama.cpp takes softmax',
    'draft blocks (num_nextn_predict_layers) are kept as for GLM-4.7-Flash; the converter of llama.cpp drops them',
  ],
};
