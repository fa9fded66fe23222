// What the hybrids with Mamba-2 blocks share. Keys and tensors: GraniteHybridModel, NemotronHModel and Mamba2Model of
// llama.cpp's conversion/*.py.
import { negatedExp } from '../change/mapped-values.ts';
import { column, inGroups, squeezedKernel } from '../change/reshaped.ts';
import type { Mamba2Spec } from '../forward/mixers/mamba2/spec.ts';
import type { NetworkReader } from '../network-reader.ts';
import type { FixedConfig, Json, TensorRule } from './architecture.ts';
import { count } from './config-error.ts';
import { maxWidth } from './decoder.ts';
import { inBlock } from './dense.ts';

/** Blocks without attention have no key-value heads in GGUF. */
export const hasAttention: NonNullable<TensorRule['blocks']> = ({ numbers, block }) =>
  (numbers.at('attention.head_count_kv', block) ?? 0) > 0;

/** `key` in the blocks where `has` is true, else 0; draft blocks have what `draft` says. */
export const inBlocks = (value: number, has: readonly boolean[]): number[] => has.map((one) => (one ? value : 0));

/** Inner width by heads, which need not be `expand` times the width of the model. */
export const innerWidth = (config: Json, heads: string, headSize: string): number =>
  count(config, heads) * count(config, headSize);

export interface Mamba2Names {
  /** `mamba`, or `mixer`. */
  at: string;
  /** Key of config.json that says whether the convolution has a bias. */
  convolutionBias: string;
  blocks: NonNullable<TensorRule['blocks']>;
  /** Stored as F32 in published checkpoints. */
  f32?: true;
}

/** Needs the dimensions of `mamba2Sizes`. */
export function mamba2Tensors({ at, convolutionBias, blocks, f32 }: Mamba2Names): TensorRule[] {
  const rule = (
    hf: string,
    gguf: string,
    shape: TensorRule['shape'],
    rest: Parameters<typeof inBlock>[3] = {},
  ): TensorRule => inBlock(`${at}.${hf}`, gguf, shape, { blocks, ...rest });
  const precise = f32 && { f32 };
  return [
    rule('in_proj.weight', 'ssm_in.weight', ['ssmProjected', 'embd']),
    rule('conv1d.weight', 'ssm_conv1d.weight', ['ssmChannels', 'ssmTaps'], { changes: [squeezedKernel] }),
    rule('conv1d.bias', 'ssm_conv1d.bias', ['ssmChannels'], { presence: { flag: convolutionBias, missing: true } }),
    rule('dt_bias', 'ssm_dt.bias', ['ssmHeads'], { ...precise }),
    rule('A_log', 'ssm_a', ['ssmHeads', 'one'], { changes: [column, negatedExp], ...precise }),
    rule('D', 'ssm_d', ['ssmHeads', 'one'], { changes: [column], ...precise }),
    rule('norm.weight', 'ssm_norm.weight', ['ssmGroups', 'ssmGroup'], { changes: [inGroups] }),
    rule('out_proj.weight', 'ssm_out.weight', ['embd', 'ssmInner']),
  ];
}

/** Dimensions that `mamba2Tensors` names. */
export function mamba2Sizes({
  ssmInner: inner = 0,
  ssmGroups: groups = 1,
  ssmState: state = 0,
  ssmHeads: heads = 0,
}: Readonly<Record<string, number>>) {
  const ssmChannels = inner + 2 * groups * state;
  return { ssmChannels, ssmProjected: inner + ssmChannels + heads, ssmGroup: inner / groups };
}

/** Time steps are not cut: GGUF has no key for it. */
export const noTimeStepLimit: FixedConfig = {
  key: 'time_step_limit',
  values: [
    [0, Infinity],
    [0, { __float__: 'Infinity' }],
  ],
  why: 'GGUF has no limits of time steps',
};

/** @param block any that has one: biases are there or not, which no key says */
export function readMamba2(read: NetworkReader, block: number, norm: Mamba2Spec['norm']): Mamba2Spec {
  const heads = read.integer('ssm.time_step_rank', 1, 1 << 16);
  const inner = read.integer('ssm.inner_size', 1, maxWidth);
  const groups = read.optionalInteger('ssm.group_count', 1, 1, 1 << 16);
  if (inner % heads !== 0) read.fail('ssm.inner_size', `${heads} heads do not divide ${inner}`);
  if (heads % groups !== 0) read.fail('ssm.group_count', `${groups} groups do not divide ${heads} heads`);
  return {
    kind: 'mamba2',
    heads,
    headLength: inner / heads,
    groups,
    stateLength: read.integer('ssm.state_size', 1, 1 << 16),
    taps: read.integer('ssm.conv_kernel', 2, 16),
    convolutionBias: read.hasTensor(`blk.${block}.ssm_conv1d.bias`),
    ...(norm && { norm }),
  };
}
