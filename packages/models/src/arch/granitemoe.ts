// Granite 3 with experts (1B-A400M, 3B-A800M), perhaps with an MLP that every token uses. Gate and up of the experts are one
// stack. GGUF: GraniteMoeModel of llama.cpp's conversion/granite.py.
import type { Architecture, ConfigRule, TensorRule } from './architecture.ts';
import { preNormBlock, readEps } from './decoder.ts';
import { attentionBlockTensors, denseConfig, embeddingTensors, inBlock } from './dense.ts';
import { graniteAttention, graniteConfig, graniteDefaults, graniteFamily, graniteNetwork } from './granite.ts';
import { expertCounts, mixturePairs } from './mixture.ts';
import { readExperts, readSharedExpert } from './read-experts.ts';

/** Width of the MLP that every token uses. */
export const sharedWidth: ConfigRule = {
  hf: 'shared_intermediate_size',
  gguf: ['expert_shared_feed_forward_length'],
  type: 'uint32',
  min: 0,
  missing: () => undefined,
};

/** Stacks as published; transformers 5 calls them otherwise in memory, and saves them under these names. */
export const graniteExpertTensors: readonly TensorRule[] = [
  inBlock('block_sparse_moe.router.layer.weight', 'ffn_gate_inp.weight', ['experts', 'embd']),
  ...['ffn_gate_exps.weight', 'ffn_up_exps.weight'].map((gguf, index) =>
    inBlock('block_sparse_moe.input_linear.weight', gguf, ['experts', 'expertFf', 'embd'], {
      part: { index, of: ['expertFf', 'expertFf'] },
    }),
  ),
  inBlock('block_sparse_moe.output_linear.weight', 'ffn_down_exps.weight', ['experts', 'embd', 'expertFf']),
];

/** @param suffix `_shexp` beside experts; none where it stands alone */
export const sharedMlpTensors = (suffix: '' | '_shexp', blocks?: TensorRule['blocks']): TensorRule[] => [
  ...['gate', 'up'].map((name, index) =>
    inBlock('shared_mlp.input_linear.weight', `ffn_${name}${suffix}.weight`, ['sharedFf', 'embd'], {
      part: { index, of: ['sharedFf', 'sharedFf'] },
      ...(blocks && { blocks }),
    }),
  ),
  inBlock('shared_mlp.output_linear.weight', `ffn_down${suffix}.weight`, ['embd', 'sharedFf'], {
    ...(blocks && { blocks }),
  }),
];

export const granitemoe: Architecture = {
  ...graniteFamily,
  family: 'granitemoe',
  name: 'granitemoe',
  hf: ['GraniteMoeForCausalLM', 'GraniteMoeSharedForCausalLM'],
  modelType: ['granitemoe', 'granitemoeshared'],
  config: [
    ...denseConfig({ ...graniteDefaults, experts: expertCounts({ experts: 8, used: 2 }) }),
    ...graniteConfig,
    sharedWidth,
  ],
  sizes: (_numbers, _block, { ff }) => ({ expertFf: ff! }),
  tensors: [
    ...embeddingTensors,
    ...attentionBlockTensors({ permute: true }),
    ...graniteExpertTensors,
    ...sharedMlpTensors('_shexp', ({ numbers }) => (numbers.at('expert_shared_feed_forward_length') ?? 0) > 0),
  ],
  experts: true,
  network: (read) => {
    const eps = readEps(read);
    const attention = graniteAttention(read);
    const experts = readExperts(read, { over: 'chosen', width: (feedForwardLength) => feedForwardLength });
    return graniteNetwork(read, () => preNormBlock(eps, attention, experts, ...readSharedExpert(read, experts)));
  },
  awq: mixturePairs,
};
