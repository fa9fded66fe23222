// What the mixtures of experts share beyond the dense models. Keys: TextModel.set_gguf_parameters of llama.cpp's
// conversion/base.py; names of the stacks: gguf-py tensor_mapping.py.
import type { ConfigRule, FixedConfig, ScalingPair, TensorRule } from './architecture.ts';
import { attentionPairs, inBlock } from './dense.ts';

/** `LLAMA_MAX_EXPERTS`. */
export const maxExperts = 512;

/** Number of experts, and of those that each token uses; the numbers are the defaults of the config class. */
export function expertCounts({ experts, used }: { experts: number; used: number }): ConfigRule[] {
  const count = { type: 'uint32', max: maxExperts } as const;
  return [
    { ...count, hf: 'num_experts', alias: 'num_local_experts', gguf: ['expert_count'], missing: () => experts },
    { ...count, hf: 'num_experts_per_tok', gguf: ['expert_used_count'], missing: () => used },
  ];
}

/** Qwen's way to leave some blocks dense. GGUF has no place for it, and no released model uses it. */
export const fixedForSparseBlocks: readonly FixedConfig[] = [
  { key: 'decoder_sparse_step', values: [1], why: 'every block has experts' },
  { key: 'mlp_only_layers', values: [[]], why: 'every block has experts' },
];

/** A router and three stacks; `names`: the parts of an expert. transformers 5 spells them `mlp`, fused, in any model. */
export function expertTensors(at: string, names: { gate: string; up: string; down: string }): TensorRule[] {
  const fused = (hf: string, part: number, of: number) => ({ hf: `model.layers.{i}.mlp.experts.${hf}`, part, of });
  const stacks: TensorRule[] = [
    inBlock(`${at}.experts.{j}.${names.gate}.weight`, 'ffn_gate_exps.weight', {
      shape: ['experts', 'expertFf', 'embd'],
      fused: fused('gate_up_proj', 0, 2),
    }),
    inBlock(`${at}.experts.{j}.${names.up}.weight`, 'ffn_up_exps.weight', {
      shape: ['experts', 'expertFf', 'embd'],
      fused: fused('gate_up_proj', 1, 2),
    }),
    inBlock(`${at}.experts.{j}.${names.down}.weight`, 'ffn_down_exps.weight', {
      shape: ['experts', 'embd', 'expertFf'],
      fused: fused('down_proj', 0, 1),
    }),
  ];
  const router = inBlock(`${at}.gate.weight`, 'ffn_gate_inp.weight', { shape: ['experts', 'embd'] });
  const alias = 'model.layers.{i}.mlp.gate.weight';
  return [router.hf === alias ? router : { ...router, alias }, ...stacks];
}

/** The expert that every token uses, weighed by a gate of its own. */
export const sharedExpertTensors: readonly TensorRule[] = [
  inBlock('mlp.shared_expert_gate.weight', 'ffn_gate_inp_shexp.weight', { shape: ['one', 'embd'] }),
  inBlock('mlp.shared_expert.gate_proj.weight', 'ffn_gate_shexp.weight', { shape: ['sharedFf', 'embd'] }),
  inBlock('mlp.shared_expert.up_proj.weight', 'ffn_up_shexp.weight', { shape: ['sharedFf', 'embd'] }),
  inBlock('mlp.shared_expert.down_proj.weight', 'ffn_down_shexp.weight', { shape: ['embd', 'sharedFf'] }),
];

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
