// MiniMax M2 (M2, M2.1, M2.5): an RMS norm over all of q and k, rope on a part of each head, sigmoid experts with a bias for
// the choice. GGUF: MiniMaxM2Model of llama.cpp's conversion/minimax.py.
import type { Architecture, ConfigRule } from './architecture.ts';
import { decoder, preNormBlock, readAttention, readEps } from './decoder.ts';
import { sigmoidRouter } from './deepseek.ts';
import { attentionBlockTensors, denseConfig, embeddingTensors, fixedForDense, inBlock } from './dense.ts';
import { expertCounts, expertTensors, mixturePairs } from './mixture.ts';
import { readExperts } from './read-experts.ts';
import { rotaryPart } from './rotary-part.ts';

const rotary: ConfigRule = {
  gguf: ['rope.dimension_count'],
  type: 'uint32',
  made: (config) => config.rotary_dim ?? Math.floor((config.head_dim ?? 128) * (rotaryPart(config) ?? 1)),
  back: (numbers) => ({ rotary_dim: numbers.at('rope.dimension_count') }),
};

export const minimaxm2: Architecture = {
  family: 'minimax-m2',
  name: 'minimax-m2',
  hf: ['MiniMaxM2ForCausalLM'],
  modelType: 'minimax_m2',
  config: [
    ...denseConfig({
      contextLength: 196608,
      kvHeads: 8,
      rmsEps: 1e-6,
      headDim: () => 128,
      experts: [...expertCounts({ experts: 256, used: 8 }, ['num_local_experts', 'num_experts']), sigmoidRouter],
    }),
    { hf: 'intermediate_size', gguf: ['expert_feed_forward_length'], type: 'uint32' },
    rotary,
  ],
  fixed: [
    ...fixedForDense,
    { key: 'scoring_func', values: ['sigmoid'], why: 'the class weighs experts by sigmoid' },
    { key: 'use_qk_norm', values: [true], why: 'q and k are normed' },
    { key: 'qk_norm_type', values: ['per_layer'], why: 'q and k are normed over all heads' },
    { key: 'use_routing_bias', values: [true], why: 'experts are chosen with a bias' },
    { key: 'shared_intermediate_size', values: [0], why: 'there is no shared expert' },
    { key: 'attention_bias', values: [false], why: 'GGUF has no attention biases for minimax-m2' },
  ],
  // Draft blocks that the released checkpoints do not hold, and what a list of equal entries says of the blocks.
  ignored: ['use_mtp', 'num_mtp_modules', 'mtp_transformer_layers', 'attn_type_list'],
  unsupported: ({ attn_type_list: types }) =>
    Array.isArray(types) && types.some((type) => type !== 1) ? '"attn_type_list" with others than 1' : undefined,
  rope: { types: ['default', 'linear', 'yarn'], theta: 5e6, partial: 1 },
  slidingWindow: false,
  tensors: [
    ...embeddingTensors,
    ...attentionBlockTensors({ permute: false }),
    inBlock('self_attn.q_norm.weight', 'attn_q_norm.weight', ['q']),
    inBlock('self_attn.k_norm.weight', 'attn_k_norm.weight', ['k']),
    ...expertTensors('block_sparse_moe', { gate: 'w1', down: 'w2', up: 'w3' }),
    {
      ...inBlock('block_sparse_moe.e_score_correction_bias', 'exp_probs_b.bias', ['experts'], { f32: true }),
      also: [
        { name: 'model.layers.{i}.mlp.gate.e_score_correction_bias' },
        { name: 'model.layers.{i}.mlp.e_score_correction_bias' },
      ],
    },
  ],
  experts: true,
  network: (read) => {
    const eps = readEps(read);
    const attention = readAttention(read, { style: 'neox', qkNorm: { eps, over: 'width', at: 'before-rope' } });
    const experts = readExperts(read, { over: 'chosen', score: 'sigmoid' });
    return decoder(read, () => preNormBlock(eps, attention, experts));
  },
  awq: mixturePairs,
};
