// GLM-4.5, 4.6 and 4.7 (also Air), and the text model of GLM-4.5V: grouped attention with rope on half of each head, a few dense blocks, then experts as
// DeepSeek V3 has them. GGUF: Glm4MoeModel of llama.cpp's conversion/glm.py.
import type { Architecture } from './architecture.ts';
import { decoder, postAttentionNormBlock, readAttention, readEps, readGatedMlp } from './decoder.ts';
import { sigmoidRouter } from './deepseek.ts';
import {
  attentionPairs,
  denseConfig,
  embeddingTensors,
  fixedForDense,
  inBlock,
  mlpTensors,
  qkvBiasTensors,
} from './dense.ts';
import { alsoInDraft, draftCount, furtherLayer, furtherLayerDraft } from './draft-blocks.ts';
import { glmTokens } from './glm4moelite.ts';
import { inDenseBlocks, inSparseBlocks, leadingDense } from './leading-dense.ts';
import {
  expertCounts,
  expertTensors,
  groupCounts,
  maxExperts,
  mixedFeedForwardPairs,
  plainSharedExpertTensors,
} from './mixture.ts';
import { readExperts, readSharedExpert } from './read-experts.ts';
import { rotaryPart } from './rotary-part.ts';

const part = 0.5;
const flag = { flag: 'use_qk_norm' } as const;

const config = (contextLength: number): Architecture['config'] => [
  ...denseConfig({
    contextLength,
    kvHeads: 8,
    rmsEps: 1e-5,
    headDim: () => undefined,
    experts: [
      ...expertCounts({ experts: 128, used: 8 }, ['n_routed_experts', 'num_experts', 'num_local_experts']),
      ...groupCounts,
    ],
  }),
  {
    gguf: ['rope.dimension_count'],
    type: 'uint32',
    made: (config) =>
      Math.floor(
        (config.head_dim ?? Math.floor(config.hidden_size / config.num_attention_heads)) * (rotaryPart(config) ?? part),
      ),
    back: (numbers) => ({
      partial_rotary_factor:
        numbers.at('rope.dimension_count')! /
        (numbers.at('attention.key_length') ?? numbers.at('embedding_length')! / numbers.at('attention.head_count')!),
    }),
  },
  { hf: 'moe_intermediate_size', gguf: ['expert_feed_forward_length'], type: 'uint32', missing: () => 1408 },
  { hf: 'n_shared_experts', gguf: ['expert_shared_count'], type: 'uint32', max: maxExperts, missing: () => 1 },
  leadingDense(() => 1),
  sigmoidRouter,
  { hf: 'routed_scaling_factor', gguf: ['expert_weights_scale'], type: 'float32', missing: () => 1 },
  { hf: 'norm_topk_prob', gguf: ['expert_weights_norm'], type: 'bool', missing: () => true },
  draftCount('num_nextn_predict_layers', { zero: true }),
];

export const glm4moe: Architecture = {
  family: 'glm4moe',
  name: 'glm4moe',
  hf: ['Glm4MoeForCausalLM'],
  modelType: 'glm4_moe',
  isOf: (file) => !file.has('rope.dimension_sections'),
  config: config(131072),
  fixed: [...fixedForDense, { key: 'scoring_func', values: ['sigmoid'], why: 'the class weighs experts by sigmoid' }],
  rope: { types: ['default', 'linear', 'yarn'], partial: part },
  slidingWindow: false,
  tensors: [
    ...embeddingTensors,
    ...alsoInDraft([
      inBlock('input_layernorm.weight', 'attn_norm.weight', ['embd']),
      inBlock('self_attn.q_proj.weight', 'attn_q.weight', ['q', 'embd']),
      inBlock('self_attn.k_proj.weight', 'attn_k.weight', ['k', 'embd']),
      inBlock('self_attn.v_proj.weight', 'attn_v.weight', ['v', 'embd']),
      inBlock('self_attn.o_proj.weight', 'attn_output.weight', ['embd', 'attnOut']),
      ...qkvBiasTensors({ permute: false, presence: { flag: 'attention_bias' } }),
      inBlock('self_attn.q_norm.weight', 'attn_q_norm.weight', ['headDim'], { presence: flag }),
      inBlock('self_attn.k_norm.weight', 'attn_k_norm.weight', ['headDim'], { presence: flag }),
      inBlock('post_attention_layernorm.weight', 'post_attention_norm.weight', ['embd']),
      ...inSparseBlocks([
        ...expertTensors('mlp', { gate: 'gate_proj', up: 'up_proj', down: 'down_proj' }),
        inBlock('mlp.gate.e_score_correction_bias', 'exp_probs_b.bias', ['experts'], { f32: true }),
        ...plainSharedExpertTensors,
      ]),
    ]),
    ...inDenseBlocks(mlpTensors),
    ...furtherLayerDraft,
  ],
  experts: true,
  network: (read) => {
    const eps = readEps(read);
    const attention = readAttention(read, {
      style: 'neox',
      ...(read.hasTensor('blk.0.attn_q_norm.weight') && { qkNorm: { eps, over: 'head', at: 'before-rope' } }),
    });
    const mlp = readGatedMlp(read);
    const dense = read.optionalInteger('leading_dense_block_count', 0, 0, 1 << 16);
    const experts = readExperts(read, { over: 'chosen', score: 'sigmoid', block: dense });
    const shared = readSharedExpert(read, experts);
    return decoder(read, (i) =>
      i < dense
        ? postAttentionNormBlock(eps, attention, mlp)
        : postAttentionNormBlock(eps, attention, experts, ...shared),
    );
  },
  awq: [
    ...attentionPairs,
    ...mixedFeedForwardPairs.map((pair) =>
      pair.prev === 'ffn_norm' ? { ...pair, prev: 'post_attention_norm' } : pair,
    ),
  ],
  draft: { count: (config) => config.num_nextn_predict_layers ?? 1, start: furtherLayer },
  tokensByName: glmTokens,
  preTokenizers: { 'llama-bpe': 'glm4' },
};

/** Rope is cut into sections for the positions of pictures; for text they are all the same. */
export const glm4vmoe: Architecture = {
  ...glm4moe,
  family: 'glm4vmoe',
  hf: ['Glm4vMoeTextModel', 'Glm4vMoeForConditionalGeneration'],
  modelType: ['glm4v_moe_text', 'glm4v_moe'],
  isOf: (file) => file.has('rope.dimension_sections'),
  config: config(65536),
  rope: { ...glm4moe.rope!, sections: [8, 12, 12] },
  draft: { count: (json) => json.num_nextn_predict_layers ?? 0, start: furtherLayer },
  remarks: ['Exported without the tower: as Glm4vMoeTextModel.'],
};
