// Qwen3-Next (80B-A3B): the forerunner of Qwen 3.5 with experts. The projections of its delta nets are joined, key head by
// key head; GGUF keeps its value heads in that order. GGUF: Qwen3NextModel of llama.cpp's conversion/qwen.py.
import { partsOfGroups } from '../change/grouped-parts.ts';
import { negatedExp } from '../change/mapped-values.ts';
import { squeezedKernel } from '../change/reshaped.ts';
import type { Architecture, TensorRule } from './architecture.ts';
import { readEps } from './decoder.ts';
import { fixedForDense } from './dense.ts';
import { expertTensors, fixedForSparseBlocks, sharedExpertTensors } from './mixture.ts';
import { deltaNetTensor, qwen35Family, qwen35Mixers, qwen35Tensors } from './qwen35.ts';
import { deltaNetMixture, deltaNetMixtureConfig } from './qwen35moe.ts';

/** Rows of a key head in `in_proj_qkvz`: what becomes `attn_qkv`, and z. */
const joined = (index: number) => ({ index, of: ['groupQkv', 'groupValues'] });

const deltaNetTensors: readonly TensorRule[] = [
  deltaNetTensor('in_proj_qkvz.weight', 'attn_qkv.weight', ['channels', 'embd'], {
    part: joined(0),
    changes: [partsOfGroups('ssmState', 'ssmState', 'groupValues')],
  }),
  deltaNetTensor('in_proj_qkvz.weight', 'attn_gate.weight', ['ssmInner', 'embd'], { part: joined(1) }),
  deltaNetTensor('in_proj_ba.weight', 'ssm_ba.weight', ['betasAndAlphas', 'embd']),
  deltaNetTensor('A_log', 'ssm_a', ['ssmHeads'], { changes: [negatedExp], f32: true }),
  deltaNetTensor('dt_bias', 'ssm_dt.bias', ['ssmHeads']),
  deltaNetTensor('conv1d.weight', 'ssm_conv1d.weight', ['channels', 'ssmTaps'], { changes: [squeezedKernel] }),
  deltaNetTensor('norm.weight', 'ssm_norm.weight', ['valueHead']),
  deltaNetTensor('out_proj.weight', 'ssm_out.weight', ['embd', 'ssmInner']),
];

export const qwen3next: Architecture = {
  ...qwen35Family,
  family: 'qwen3next',
  name: 'qwen3next',
  hf: ['Qwen3NextForCausalLM'],
  modelType: 'qwen3_next',
  config: deltaNetMixtureConfig({ experts: 512, used: 10 }, { draftKey: false }),
  fixed: [
    ...fixedForDense,
    ...fixedForSparseBlocks,
    { key: 'norm_topk_prob', values: [true], why: 'GGUF has no key for it and llama.cpp normalizes' },
    { key: 'attention_bias', values: [false], why: 'GGUF has no attention biases for qwen3next' },
  ],
  rope: { types: ['default', 'linear', 'yarn'], partial: 0.25 },
  preTokenizers: {},
  sizes: (numbers, block, standard) => {
    const sizes = qwen35Family.sizes(numbers, block, standard);
    const groupValues = standard.ssmInner! / standard.ssmGroups!;
    return {
      ...sizes,
      groupValues,
      groupQkv: 2 * standard.ssmState! + groupValues,
      betasAndAlphas: 2 * standard.ssmHeads!,
    };
  },
  tensors: qwen35Tensors(
    [...expertTensors('mlp', { gate: 'gate_proj', up: 'up_proj', down: 'down_proj' }), ...sharedExpertTensors],
    deltaNetTensors,
  ),
  experts: true,
  network: (read) => deltaNetMixture(read, qwen35Mixers(read, readEps(read), 'neighbours')),
  awq: [],
  notPacked: 'the matrices of its delta nets are stored joined, key head by key head',
};
