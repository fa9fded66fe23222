// EXAONE 4 (norms after attention and MLP alone) and K-EXAONE (norms before them, experts as DeepSeek V3 has them): q and k
// are normed head by head, and where some blocks have a window the others know no positions.
// GGUF: Exaone4Model and ExaoneMoEModel of llama.cpp's conversion/exaone.py.
import type { AttentionSpec } from '../forward/mixers/attention/spec.ts';
import type { NetworkReader } from '../network-reader.ts';
import type { Architecture, ConfigRule, Json } from './architecture.ts';
import { decoder, postNormBlock, preNormBlock, readAttention, readBlocks, readEps, readGatedMlp } from './decoder.ts';
import { sigmoidRouter } from './deepseek.ts';
import {
  attentionBlockTensors,
  attentionPairs,
  denseConfig,
  embeddingTensors,
  fixedForDense,
  headNormTensors,
  inBlock,
  mlpTensors,
  ropeFreqs,
} from './dense.ts';
import { draftCount, inDraft, joinedDraft } from './draft-blocks.ts';
import { inDenseBlocks, inSparseBlocks, leadingDense } from './leading-dense.ts';
import {
  expertCounts,
  expertTensors,
  groupCounts,
  mixedFeedForwardPairs,
  plainSharedExpertTensors,
} from './mixture.ts';
import { readExperts, readSharedExpert } from './read-experts.ts';
import { readWindows, type WindowLayers, windowLayerKeys } from './window-layers.ts';

const windows: WindowLayers = {
  period: 4,
  // A number, or a text such as LLLG.
  interval: ({ sliding_window_pattern: pattern }: Json) =>
    typeof pattern === 'string' ? pattern.length : (pattern ?? 4),
  window: 4096,
  listed: true,
  nullable: true,
};

const vocabulary: ConfigRule = { hf: 'vocab_size', gguf: ['vocab_size'], type: 'uint32' };

/** Of each block; the list of windows ends with the last block of the network. */
function readMixers(read: NetworkReader, eps: number): (block: number) => AttentionSpec {
  const drafts = read.optionalInteger('nextn_predict_layers', 0, 0, readBlocks(read) - 1);
  const found = readWindows(read, readBlocks(read) - drafts, windows.period);
  const { window: _, ...attention } = readAttention(read, {
    style: 'neox',
    qkNorm: { eps, over: 'head', at: 'before-rope' },
  });
  const { rope: __, ...placeless } = attention;
  const full = found.some((window) => window !== undefined) ? placeless : attention;
  return (block) => (found[block] === undefined ? full : { ...attention, window: found[block] });
}

export const exaone4: Architecture = {
  family: 'exaone4',
  name: 'exaone4',
  hf: ['Exaone4ForCausalLM'],
  modelType: 'exaone4',
  config: [
    ...denseConfig({ contextLength: 2048, kvHeads: 32, rmsEps: 1e-5, headDim: () => undefined }),
    vocabulary,
    ...windowLayerKeys(windows),
  ],
  fixed: [...fixedForDense],
  rope: { types: ['default', 'linear', 'yarn', 'llama3'] },
  slidingWindow: false,
  tensors: [
    ropeFreqs,
    ...embeddingTensors,
    inBlock('self_attn.q_proj.weight', 'attn_q.weight', ['q', 'embd']),
    inBlock('self_attn.k_proj.weight', 'attn_k.weight', ['k', 'embd']),
    inBlock('self_attn.v_proj.weight', 'attn_v.weight', ['v', 'embd']),
    inBlock('self_attn.o_proj.weight', 'attn_output.weight', ['embd', 'attnOut']),
    ...headNormTensors,
    inBlock('post_attention_layernorm.weight', 'post_attention_norm.weight', ['embd']),
    inBlock('post_feedforward_layernorm.weight', 'post_ffw_norm.weight', ['embd']),
    ...mlpTensors,
  ],
  network: (read) => {
    const eps = readEps(read);
    const [mixer, mlp] = [readMixers(read, eps), readGatedMlp(read)];
    return decoder(read, (i) => postNormBlock(eps, mixer(i), mlp));
  },
  // No norm stands before the matrices that read one input.
  awq: [
    { prev: 'attn_v', layers: ['attn_output'], inspect: 'layer', sameShape: true },
    { prev: 'ffn_up', layers: ['ffn_down'], inspect: 'layer' },
  ],
  remarks: ['llama.cpp knows windows at a depth of 64 blocks alone (the 32B model)'],
};

const attentionTensors = [...attentionBlockTensors({ permute: false }), ...headNormTensors];

export const exaonemoe: Architecture = {
  family: 'exaone-moe',
  name: 'exaone-moe',
  hf: ['ExaoneMoeForCausalLM', 'ExaoneMoEForCausalLM'],
  modelType: 'exaone_moe',
  config: [
    ...denseConfig({
      contextLength: 2048,
      kvHeads: 32,
      rmsEps: 1e-5,
      headDim: () => undefined,
      experts: [...expertCounts({ experts: 64, used: 8 }), ...groupCounts, sigmoidRouter],
    }),
    vocabulary,
    ...windowLayerKeys(windows),
    { hf: 'moe_intermediate_size', gguf: ['expert_feed_forward_length'], type: 'uint32', missing: () => 1024 },
    { hf: 'num_shared_experts', gguf: ['expert_shared_count'], type: 'uint32', min: 0, missing: () => 1 },
    {
      gguf: ['expert_shared_feed_forward_length'],
      type: 'uint32',
      made: (config) => (config.num_shared_experts ?? 1) * (config.moe_intermediate_size ?? 1024),
    },
    { hf: 'routed_scaling_factor', gguf: ['expert_weights_scale'], type: 'float32', missing: () => 2.5 },
    { hf: 'norm_topk_prob', gguf: ['expert_weights_norm'], type: 'bool', missing: () => true },
    leadingDense(() => 1),
    draftCount('num_nextn_predict_layers'),
    { gguf: ['rope.scaling.type'], type: 'string', made: () => 'none' },
  ],
  fixed: [...fixedForDense, { key: 'scoring_func', values: ['sigmoid'], why: 'the class weighs experts by sigmoid' }],
  rope: { types: ['default'] },
  slidingWindow: false,
  tensors: [
    ...embeddingTensors,
    ...attentionTensors,
    ...inDenseBlocks(mlpTensors),
    ...inSparseBlocks([
      ...expertTensors('mlp', { gate: 'gate_proj', up: 'up_proj', down: 'down_proj' }),
      {
        ...inBlock('mlp.e_score_correction_bias', 'exp_probs_b.bias', ['experts'], { f32: true }),
        also: [{ name: 'model.layers.{i}.mlp.gate.e_score_correction_bias' }],
      },
      ...plainSharedExpertTensors,
    ]),
    ...joinedDraft,
    ...inDraft([...attentionTensors, ...mlpTensors], 'mtp.layers.{m}.'),
  ],
  experts: true,
  network: (read) => {
    const eps = readEps(read);
    const [mixer, mlp] = [readMixers(read, eps), readGatedMlp(read)];
    const dense = read.optionalInteger('leading_dense_block_count', 0, 0, 1 << 16);
    const main = readBlocks(read) - read.optionalInteger('nextn_predict_layers', 0, 0, readBlocks(read) - 1);
    const experts = readExperts(read, { over: 'chosen', score: 'sigmoid', block: dense });
    const shared = readSharedExpert(read, experts);
    return decoder(read, (i) =>
      i < dense || i >= main ? preNormBlock(eps, mixer(i), mlp) : preNormBlock(eps, mixer(i), experts, ...shared),
    );
  },
  awq: [...attentionPairs, ...mixedFeedForwardPairs],
  draft: { count: (config) => config.num_nextn_predict_layers ?? 0, start: () => 'mtp.' },
};
