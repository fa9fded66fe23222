// LFM2 with experts (8B-A1B) behind a few dense blocks. GGUF: LFM2MoeModel of llama.cpp's conversion/lfm2.py.
import type { Architecture, ConfigRule, TensorRule } from './architecture.ts';
import { readBlocks, readGatedMlp } from './decoder.ts';
import { inBlock } from './dense.ts';
import { lfm2Config, lfm2Family, lfm2Mlp, lfm2Network, lfm2Pairs, lfm2Tensors } from './lfm2.ts';
import { expertCounts, expertTensors, mixedFeedForwardPairs } from './mixture.ts';
import { maxBlocks } from './model-numbers.ts';
import { readExperts } from './read-experts.ts';

const behind: readonly ConfigRule[] = [
  { hf: 'moe_intermediate_size', gguf: ['expert_feed_forward_length'], type: 'uint32', missing: () => 1792 },
  {
    hf: 'num_dense_layers',
    gguf: ['leading_dense_block_count'],
    type: 'uint32',
    min: 0,
    max: maxBlocks,
    missing: () => 2,
  },
  { gguf: ['expert_gating_func'], type: 'uint32', made: () => 2 },
];

const isDense: NonNullable<TensorRule['blocks']> = ({ numbers, block }) =>
  block < (numbers.at('leading_dense_block_count') ?? 0);
const hasExperts: TensorRule['blocks'] = (place) => !isDense(place);

export const lfm2moe: Architecture = {
  ...lfm2Family,
  family: 'lfm2moe',
  name: 'lfm2moe',
  hf: ['Lfm2MoeForCausalLM'],
  modelType: 'lfm2_moe',
  config: lfm2Config(expertCounts({ experts: 32, used: 4 }), behind, []),
  fixed: [
    ...lfm2Family.fixed,
    { key: 'norm_topk_prob', values: [true], why: 'the weights of the chosen experts are normalized' },
    { key: 'routed_scaling_factor', values: [1], why: 'GGUF has no factor on the experts of lfm2moe' },
  ],
  tensors: [
    ...lfm2Tensors,
    ...lfm2Mlp(isDense),
    ...expertTensors('feed_forward', { gate: 'w1', up: 'w3', down: 'w2' }).map((rule) => ({
      ...rule,
      blocks: hasExperts,
    })),
    {
      ...inBlock('feed_forward.expert_bias', 'exp_probs_b.bias', ['experts'], {
        presence: { flag: 'use_expert_bias', missing: true },
      }),
      blocks: hasExperts,
      f32: true,
    },
  ],
  experts: true,
  awq: [...lfm2Pairs, ...mixedFeedForwardPairs],
  network: (read) => {
    const dense = read.optionalInteger('leading_dense_block_count', 0, 0, readBlocks(read) - 1);
    const mlp = readGatedMlp(read);
    const experts = readExperts(read, { over: 'chosen', score: 'sigmoid', block: dense });
    return lfm2Network(read, (block) => (block < dense ? mlp : experts));
  },
};
