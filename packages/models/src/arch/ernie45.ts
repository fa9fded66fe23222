// ERNIE 4.5: Llama's block with neighbouring pairs in rope; with experts (21B-A3B, 300B-A47B) a dense first block, softmax
// weights, a bias for the choice and shared experts. GGUF: Ernie4_5Model of llama.cpp's conversion/ernie.py.
import type { Architecture } from './architecture.ts';
import { count, isAbsent, show } from './config-error.ts';
import { decoder, preNormBlock, readAttention, readEps, readGatedMlp } from './decoder.ts';
import {
  attentionBlockTensors,
  attentionPairs,
  denseBlockTensors,
  denseConfig,
  densePairs,
  embeddingTensors,
  fixedForDense,
  inBlock,
  mlpTensors,
} from './dense.ts';
import { inDenseBlocks, inSparseBlocks } from './leading-dense.ts';
import { expertTensors, maxExperts, mixedFeedForwardPairs, plainSharedExpertTensors } from './mixture.ts';
import { readExperts, readSharedExpert } from './read-experts.ts';

const fixed = [
  ...fixedForDense,
  { key: 'use_bias', values: [false], why: 'biases are not mapped' },
  { key: 'compression_ratio', values: [1], why: 'positions are not compressed' },
];

const family = {
  rope: { types: ['default', 'linear', 'yarn'], theta: 500000 },
  slidingWindow: false,
  tied: true,
  // Draft blocks, which neither GGUF nor transformers has a place for.
  leftOut: ['mtp_block.', 'mtp_emb_norm.', 'mtp_hidden_norm.', 'mtp_linear_proj.'].map((start) => ({
    start,
    what: 'draft blocks',
  })),
} satisfies Partial<Architecture>;

export const ernie45: Architecture = {
  ...family,
  family: 'ernie4_5',
  name: 'ernie4_5',
  hf: ['Ernie4_5ForCausalLM', 'Ernie4_5_ForCausalLM'],
  modelType: 'ernie4_5',
  config: denseConfig({ contextLength: 131072, kvHeads: 2, rmsEps: 1e-5, headDim: () => 128 }),
  fixed,
  tensors: [...embeddingTensors, ...denseBlockTensors({ permute: false })],
  network: (read) => {
    const [eps, attention, mlp] = [readEps(read), readAttention(read, { style: 'norm' }), readGatedMlp(read)];
    return decoder(read, () => preNormBlock(eps, attention, mlp));
  },
  awq: densePairs,
};

const shared = (config: Record<string, unknown>) => Number(config.moe_num_shared_experts ?? 2);

export const ernie45moe: Architecture = {
  ...family,
  family: 'ernie4_5-moe',
  name: 'ernie4_5-moe',
  hf: ['Ernie4_5_MoeForCausalLM'],
  modelType: 'ernie4_5_moe',
  config: [
    ...denseConfig({ contextLength: 131072, kvHeads: 4, rmsEps: 1e-5, headDim: () => undefined }),
    { hf: 'moe_num_experts', gguf: ['expert_count'], type: 'uint32', max: maxExperts, missing: () => 64 },
    { hf: 'moe_k', gguf: ['expert_used_count'], type: 'uint32', max: maxExperts, missing: () => 6 },
    { hf: 'moe_layer_interval', gguf: ['interleave_moe_layer_step'], type: 'uint32', missing: () => 1 },
    { hf: 'moe_layer_start_index', gguf: ['leading_dense_block_count'], type: 'uint32', min: 0, missing: () => 1 },
    { hf: 'moe_intermediate_size', gguf: ['expert_feed_forward_length'], type: 'uint32', missing: () => 1536 },
    {
      hf: 'moe_num_shared_experts',
      gguf: ['expert_shared_count'],
      type: 'uint32',
      min: 0,
      max: maxExperts,
      missing: () => 2,
    },
    {
      gguf: ['expert_shared_feed_forward_length'],
      type: 'uint32',
      made: (config) => (shared(config) > 0 ? shared(config) * (config.moe_intermediate_size ?? 1536) : undefined),
    },
  ],
  fixed: [...fixed, { key: 'moe_layer_interval', values: [1], why: 'every block behind the dense ones has experts' }],
  ignored: ['moe_capacity', 'moe_gate', 'moe_use_aux_free', 'moe_num_attn_moe', 'num_nextn_predict_layers'],
  unsupported: (config) => {
    const { moe_layer_end_index: end } = config;
    const last = count(config, 'num_hidden_layers') - 1;
    return isAbsent(end) || end === -1 || end === last
      ? undefined
      : `"moe_layer_end_index": ${show(end)} (every block behind the dense ones has experts)`;
  },
  tensors: [
    ...embeddingTensors,
    ...attentionBlockTensors({ permute: false }),
    ...inDenseBlocks(mlpTensors),
    ...inSparseBlocks([
      ...expertTensors('mlp', { gate: 'gate_proj', up: 'up_proj', down: 'down_proj' }),
      inBlock('mlp.moe_statics.e_score_correction_bias', 'exp_probs_b.bias', ['one', 'experts'], { f32: true }),
      ...plainSharedExpertTensors,
    ]),
  ],
  experts: true,
  network: (read) => {
    const [eps, attention, mlp] = [readEps(read), readAttention(read, { style: 'norm' }), readGatedMlp(read)];
    const dense = read.optionalInteger('leading_dense_block_count', 0, 0, 1 << 16);
    const experts = readExperts(read, { over: 'chosen', block: dense, choiceBias: 'row' });
    const sharedExpert = readSharedExpert(read, experts);
    return decoder(read, (i) =>
      i < dense ? preNormBlock(eps, attention, mlp) : preNormBlock(eps, attention, experts, ...sharedExpert),
    );
  },
  awq: [...attentionPairs, ...mixedFeedForwardPairs],
  remarks: [
    'the width of the shared experts is theirs; llama.cpp writes intermediate_size / kv heads, which is the same in the published sizes',
  ],
};
