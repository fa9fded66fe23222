// Nemotron 3 (Nano, Super, Ultra): Nemotron-H with experts, which may work in a narrower width, and a draft block that folds
// two layers into one. GGUF: NemotronHModel of llama.cpp's conversion/nemotron.py.
import type { Architecture, ConfigRule, TensorRule } from './architecture.ts';
import { maxWidth, readBlocks } from './decoder.ts';
import { inBlock } from './dense.ts';
import { inDraft } from './draft-blocks.ts';
import { mamba2Sizes } from './mamba2.ts';
import { expertCounts } from './mixture.ts';
import {
  attentionTensors,
  blockNorm,
  hasFeedForward,
  kindsOf,
  nemotronhConfig,
  nemotronhFamily,
  nemotronhNetwork,
  nemotronhTensors,
} from './nemotronh.ts';
import { readExperts, readSharedExpert } from './read-experts.ts';

const [experts, used] = expertCounts({ experts: 8, used: 2 }) as [ConfigRule, ConfigRule];
const count = (hf: string, gguf: string): ConfigRule => ({ hf, gguf: [gguf], type: 'uint32', missing: () => 1 });

const routing: readonly ConfigRule[] = [
  { ...experts, hf: ['n_routed_experts', 'num_local_experts'] } as ConfigRule,
  used,
  count('n_group', 'expert_group_count'),
  count('topk_group', 'expert_group_used_count'),
];

const widths: readonly ConfigRule[] = [
  { hf: 'moe_intermediate_size', gguf: ['expert_feed_forward_length'], type: 'uint32', missing: () => 7688 },
  {
    hf: 'moe_shared_expert_intermediate_size',
    gguf: ['expert_shared_feed_forward_length'],
    type: 'uint32',
    missing: () => 7688,
  },
  count('n_shared_experts', 'expert_shared_count'),
  { hf: 'norm_topk_prob', gguf: ['expert_weights_norm'], type: 'bool', missing: () => true },
  { hf: 'routed_scaling_factor', gguf: ['expert_weights_scale'], type: 'float32', missing: () => 1 },
  { hf: 'moe_latent_size', gguf: ['moe_latent_size'], type: 'uint32', missing: () => undefined },
  {
    gguf: ['nextn_predict_layers'],
    type: 'uint32',
    made: (_, { draftBlocks }) => draftBlocks || undefined,
    back: ({ draftBlocks }) => ({ num_nextn_predict_layers: draftBlocks }),
  },
];

const hasLatent: TensorRule['blocks'] = (place) => hasFeedForward(place) && place.numbers.has('moe_latent_size');

const mixer = (hf: string, gguf: string, shape: TensorRule['shape'], blocks = hasFeedForward): TensorRule =>
  inBlock(`mixer.${hf}`, gguf, shape, { blocks });

const expertTensors: readonly TensorRule[] = [
  mixer('gate.weight', 'ffn_gate_inp.weight', ['experts', 'embd']),
  { ...mixer('gate.e_score_correction_bias', 'exp_probs_b.bias', ['experts']), f32: true },
  mixer('experts.{j}.up_proj.weight', 'ffn_up_exps.weight', ['experts', 'expertFf', 'expertWidth']),
  mixer('experts.{j}.down_proj.weight', 'ffn_down_exps.weight', ['experts', 'expertWidth', 'expertFf']),
  mixer('fc1_latent_proj.weight', 'ffn_latent_down.weight', ['expertWidth', 'embd'], hasLatent),
  mixer('fc2_latent_proj.weight', 'ffn_latent_up.weight', ['embd', 'expertWidth'], hasLatent),
  mixer('shared_experts.up_proj.weight', 'ffn_up_shexp.weight', ['sharedFf', 'embd']),
  mixer('shared_experts.down_proj.weight', 'ffn_down_shexp.weight', ['embd', 'sharedFf']),
];

/** Attention behind what joins the embedding and the hidden state, then experts and the last norm. */
const draftTensors: readonly TensorRule[] = [
  ...inDraft(
    [
      inBlock('enorm.weight', 'nextn.enorm.weight', ['embd']),
      inBlock('hnorm.weight', 'nextn.hnorm.weight', ['embd']),
      inBlock('eh_proj.weight', 'nextn.eh_proj.weight', ['embd', 'embdTwice']),
      blockNorm,
      ...attentionTensors,
    ],
    'mtp.layers.0.',
  ),
  ...inDraft(
    [
      inBlock('norm.weight', 'post_attention_norm.weight', ['embd']),
      inBlock('final_layernorm.weight', 'nextn.shared_head_norm.weight', ['embd']),
      ...expertTensors,
    ],
    'mtp.layers.1.',
  ).map((rule) => (rule.gguf.includes('latent') ? { ...rule, blocks: hasLatent } : rule)),
];

export const nemotronhMoe: Architecture = {
  ...nemotronhFamily,
  family: 'nemotronh-moe',
  name: 'nemotron_h_moe',
  when: (config) => kindsOf(config).includes('moe'),
  unsupported: (config) =>
    kindsOf(config).includes('mlp')
      ? '"layers_block_type" with mlp beside moe (GGUF has one width for both)'
      : undefined,
  config: nemotronhConfig(routing, widths),
  sizes: (numbers, _block, sizes) => ({
    ...mamba2Sizes(sizes),
    expertWidth: numbers.at('moe_latent_size') ?? sizes.embd!,
  }),
  tensors: nemotronhTensors(expertTensors, draftTensors),
  remarks: [
    'the router of the draft block is F32 as all routers are; llama.cpp’s converter overlooks this one',
    'layers of MLP beside layers of experts are refused: GGUF has one width for both',
  ],
  draft: { count: (config) => config.num_nextn_predict_layers ?? 0, start: () => 'mtp.' },
  experts: true,
  network: (read) => {
    const block = read.perLayer('feed_forward_length', readBlocks(read), 0, maxWidth).findIndex((width) => width > 0);
    const experts = readExperts(read, { over: 'chosen', score: 'sigmoid', activation: { act: 'relu2' }, block });
    const latent = read.has('moe_latent_size') && { latent: read.integer('moe_latent_size', 1, maxWidth) };
    const shared = readSharedExpert(read, experts).map((spec) => ({ ...spec, plain: true }) as const);
    return nemotronhNetwork(read, [{ ...experts, gated: false, ...latent }, ...shared]);
  },
};
