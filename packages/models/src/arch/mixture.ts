// What the mixtures of experts share beyond the dense models. Keys: TextModel.set_gguf_parameters of llama.cpp's
// conversion/base.py; names of the stacks: gguf-py tensor_mapping.py.
import { transposed } from '../change/transposed.ts';
import type { ConfigRule, FixedConfig, ScalingPair, TensorRule } from './architecture.ts';
import { attentionPairs, inBlock } from './dense.ts';
import type { Dimension } from './dimensions.ts';
import type { StoredAs } from './tensor-rule.ts';

/** `LLAMA_MAX_EXPERTS`. */
export const maxExperts = 512;

/**
 * Number of experts, and of those that each token uses; the numbers are the defaults of the config class.
 * @param hf spellings of the number of experts
 */
export function expertCounts(
  { experts, used }: { experts: number; used: number },
  hf: readonly string[] = ['num_experts', 'num_local_experts'],
): ConfigRule[] {
  const count = { type: 'uint32', max: maxExperts } as const;
  return [
    { ...count, hf, gguf: ['expert_count'], missing: () => experts },
    { ...count, hf: 'num_experts_per_tok', gguf: ['expert_used_count'], missing: () => used },
  ];
}

/** Groups of experts, one unless config.json says otherwise. */
export const groupCounts: readonly ConfigRule[] = [
  { hf: 'n_group', gguf: ['expert_group_count'], type: 'uint32', max: maxExperts, missing: () => 1 },
  { hf: 'topk_group', gguf: ['expert_group_used_count'], type: 'uint32', max: maxExperts, missing: () => 1 },
];

/** Widths of one of Qwen's experts, and of the one that every token uses; the numbers are the defaults of the config class. */
export const expertWidths = ({ each, shared }: { each: number; shared: number }): ConfigRule[] => [
  { hf: 'moe_intermediate_size', gguf: ['expert_feed_forward_length'], type: 'uint32', missing: () => each },
  {
    hf: 'shared_expert_intermediate_size',
    gguf: ['expert_shared_feed_forward_length'],
    type: 'uint32',
    missing: () => shared,
  },
];

/** Qwen's way to leave some blocks dense. GGUF has no place for it, and no released model uses it. */
export const fixedForSparseBlocks: readonly FixedConfig[] = [
  { key: 'decoder_sparse_step', values: [1], why: 'every block has experts' },
  { key: 'mlp_only_layers', values: [[]], why: 'every block has experts' },
];

/** What the parts of an expert are called. */
export interface ExpertNames {
  gate: string;
  up: string;
  down: string;
}

/** As transformers 5 holds the experts of a block, gate and up joined: [experts, 2·ff, embd] and [experts, embd, ff]. */
const fusedGateUp = (index: number): StoredAs => ({
  name: 'model.layers.{i}.mlp.experts.gate_up_proj',
  part: { index, of: ['expertFf', 'expertFf'] },
});

const fusedDown: StoredAs = { name: 'model.layers.{i}.mlp.experts.down_proj' };

/** The three stacks of a block's experts, in the checkpoint one tensor for each expert or two fused ones. */
export function expertStacks(at: string, names: ExpertNames): TensorRule[] {
  const stack = (name: string, gguf: string, shape: readonly Dimension[], fused: StoredAs): TensorRule =>
    inBlock(`${at}.experts.{j}.${name}.weight`, gguf, shape, { also: [fused] });
  return [
    stack(names.gate, 'ffn_gate_exps.weight', ['experts', 'expertFf', 'embd'], fusedGateUp(0)),
    stack(names.up, 'ffn_up_exps.weight', ['experts', 'expertFf', 'embd'], fusedGateUp(1)),
    stack(names.down, 'ffn_down_exps.weight', ['experts', 'embd', 'expertFf'], fusedDown),
  ];
}

/** transformers 5 spells it `mlp` in any model. */
export function routerTensor(at: string): TensorRule {
  const other = at === 'mlp' ? [] : [{ name: 'model.layers.{i}.mlp.gate.weight' }];
  return inBlock(`${at}.gate.weight`, 'ffn_gate_inp.weight', ['experts', 'embd'], { also: other });
}

/** A router and three stacks. */
export const expertTensors = (at: string, names: ExpertNames): TensorRule[] => [
  routerTensor(at),
  ...expertStacks(at, names),
];

/**
 * Stacks of transposed matrices, gate and up joined: [experts, embd, 2·ff] and [experts, ff, embd]. transformers 5 loads them
 * the other way round as well, and so saves what it made itself.
 */
export const transposedExpertStacks: readonly TensorRule[] = [
  ...['ffn_gate_exps.weight', 'ffn_up_exps.weight'].map((gguf, index) =>
    inBlock('mlp.experts.gate_up_proj', gguf, ['experts', 'expertFf', 'embd'], {
      part: { index, of: ['expertFf', 'expertFf'], columns: true },
      changes: [transposed],
      also: [fusedGateUp(index)],
    }),
  ),
  inBlock('mlp.experts.down_proj', 'ffn_down_exps.weight', ['experts', 'embd', 'expertFf'], {
    changes: [transposed],
    also: [fusedDown],
  }),
];

const named = { gate: 'gate_proj', up: 'up_proj', down: 'down_proj' };

/** The same where released checkpoints have the fused stacks. */
export const fusedExpertTensors: readonly TensorRule[] = expertTensors('mlp', named).map((rule) =>
  rule.also?.length ? { ...rule, stored: rule.also[0]!, also: [rule.stored!] } : rule,
);

/** The expert that every token uses, weighed by a gate of its own. */
export const sharedExpertTensors: readonly TensorRule[] = [
  inBlock('mlp.shared_expert_gate.weight', 'ffn_gate_inp_shexp.weight', ['one', 'embd']),
  ...sharedExpertAt('mlp.shared_expert'),
];

/** Experts that every token uses, stored as one; nothing weighs them. */
export const plainSharedExpertTensors: readonly TensorRule[] = sharedExpertAt('mlp.shared_experts');

export function sharedExpertAt(at: string): TensorRule[] {
  return [
    inBlock(`${at}.gate_proj.weight`, 'ffn_gate_shexp.weight', ['sharedFf', 'embd']),
    inBlock(`${at}.up_proj.weight`, 'ffn_up_shexp.weight', ['sharedFf', 'embd']),
    inBlock(`${at}.down_proj.weight`, 'ffn_down_shexp.weight', ['embd', 'sharedFf']),
  ];
}

/** AutoAWQ leaves the router as it was behind a norm that it has divided; that changes the choice of experts. */
export const mixturePairs: readonly ScalingPair[] = [
  ...attentionPairs,
  {
    prev: 'ffn_norm',
    layers: ['ffn_gate_exps', 'ffn_up_exps'],
    followers: ['ffn_gate_inp'],
    inspect: 'sub-layer',
  },
  { prev: 'ffn_up_exps', layers: ['ffn_down_exps'], inspect: 'layer' },
];

/** The same with an expert that every token uses. */
export const sharedMixturePairs: readonly ScalingPair[] = [
  ...attentionPairs,
  {
    prev: 'ffn_norm',
    layers: ['ffn_gate_exps', 'ffn_up_exps', 'ffn_gate_shexp', 'ffn_up_shexp'],
    followers: ['ffn_gate_inp', 'ffn_gate_inp_shexp'],
    inspect: 'sub-layer',
  },
  { prev: 'ffn_up_exps', layers: ['ffn_down_exps'], inspect: 'layer' },
  { prev: 'ffn_up_shexp', layers: ['ffn_down_shexp'], inspect: 'layer' },
];

/** Of MLPs and experts in turn, with or without an expert that every token uses; AWQ takes what a block has. */
export const mixedFeedForwardPairs: readonly ScalingPair[] = [
  {
    prev: 'ffn_norm',
    layers: ['ffn_gate', 'ffn_up', 'ffn_gate_exps', 'ffn_up_exps', 'ffn_gate_shexp', 'ffn_up_shexp'],
    followers: ['ffn_gate_inp'],
    inspect: 'sub-layer',
  },
  { prev: 'ffn_up', layers: ['ffn_down'], inspect: 'layer' },
  { prev: 'ffn_up_exps', layers: ['ffn_down_exps'], inspect: 'layer' },
  { prev: 'ffn_up_shexp', layers: ['ffn_down_shexp'], inspect: 'layer' },
];
