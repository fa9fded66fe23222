// Qwen 3.5, 3.6 and 3.8 (dense): three blocks with a gated delta net, then one with gated attention, and so on. Norms are
// stored around zero. GGUF: Qwen3_5TextModel of llama.cpp's conversion/qwen.py.
import { negatedExp, plusOne } from '../change/mapped-values.ts';
import { squeezedKernel } from '../change/reshaped.ts';
import { tiledColumns, tiledRows } from '../change/tiled-heads.ts';
import type { DeltaNetSpec } from '../forward/mixers/delta-net/spec.ts';
import type { MixerSpec } from '../forward/mixers/index.ts';
import type { NetworkReader } from '../network-reader.ts';
import type { Architecture, ConfigRule, Draft, Json, ScalingPair, TensorRule } from './architecture.ts';
import { decoder, maxWidth, postAttentionNormBlock, readAttention, readEps, readGatedMlp } from './decoder.ts';
import { attentionPairs, denseConfig, fixedForDense, inBlock, mlpTensors, outsideBlocks } from './dense.ts';
import { draftCount, inDraft } from './draft-blocks.ts';
import { everyNth, layerTypes } from './layer-types.ts';
import { maxBlocks } from './model-numbers.ts';
import { rotaryPart } from './rotary-part.ts';

const kinds = ['linear_attention', 'full_attention'] as const;
const interval = (config: Json): number => config.full_attention_interval ?? 4;
const kindsOf = (config: Json) =>
  layerTypes(config, kinds, everyNth(interval(config), 'linear_attention', 'full_attention'));
const part = 0.25;

/**
 * Keys of the gated delta net and of draft blocks, which stand after the others.
 * @param draftKey whether config.json counts the draft blocks
 */
export const deltaNetConfig = ({ draftKey }: { draftKey: boolean }): readonly ConfigRule[] => [
  draftCount(draftKey ? 'mtp_num_hidden_layers' : undefined),
  { hf: 'linear_conv_kernel_dim', gguf: ['ssm.conv_kernel'], type: 'uint32', missing: () => 4 },
  { hf: 'linear_key_head_dim', gguf: ['ssm.state_size'], type: 'uint32', missing: () => 128 },
  { hf: 'linear_num_key_heads', gguf: ['ssm.group_count'], type: 'uint32', missing: () => 16 },
  { hf: 'linear_num_value_heads', gguf: ['ssm.time_step_rank'], type: 'uint32', missing: () => 32 },
  {
    gguf: ['ssm.inner_size'],
    type: 'uint32',
    made: ({ linear_value_head_dim: size = 128, linear_num_value_heads: heads = 32 }) => size * heads,
    back: (numbers) => ({
      linear_value_head_dim: numbers.at('ssm.inner_size')! / numbers.at('ssm.time_step_rank')!,
    }),
  },
  {
    gguf: ['attention.recurrent_layers'],
    type: 'bool',
    made: (config, { draftBlocks }) => [
      ...kindsOf(config).map((kind) => kind === 'linear_attention'),
      ...Array<boolean>(draftBlocks).fill(false),
    ],
    back: (numbers) => ({
      layer_types: numbers
        .list('attention.recurrent_layers')!
        .slice(0, numbers.blocks - numbers.draftBlocks)
        .map((recurrent) => kinds[recurrent ? 0 : 1]),
    }),
  },
  { gguf: ['full_attention_interval'], type: 'uint32', made: interval },
  {
    gguf: ['rope.dimension_count'],
    type: 'uint32',
    made: (config) => Math.floor((config.head_dim ?? 256) * (rotaryPart(config) ?? part)),
  },
];

const isRecurrent: TensorRule['blocks'] = ({ numbers, block }) => numbers.isTrue('attention.recurrent_layers', block);
const isFull: TensorRule['blocks'] = (place) => !isRecurrent(place);

export const deltaNetTensor = (
  hf: string,
  gguf: string,
  shape: TensorRule['shape'],
  rest: Parameters<typeof inBlock>[3] = {},
): TensorRule => inBlock(`linear_attn.${hf}`, gguf, shape, { blocks: isRecurrent, ...rest });

const channels = tiledRows({ before: 'keyRows', headSize: 'valueHead' });

const deltaNetTensors: readonly TensorRule[] = [
  deltaNetTensor('in_proj_qkv.weight', 'attn_qkv.weight', ['channels', 'embd'], { changes: [channels] }),
  deltaNetTensor('in_proj_z.weight', 'attn_gate.weight', ['ssmInner', 'embd'], {
    changes: [tiledRows({ headSize: 'valueHead' })],
  }),
  deltaNetTensor('in_proj_a.weight', 'ssm_alpha.weight', ['ssmHeads', 'embd'], { changes: [tiledRows({})] }),
  deltaNetTensor('in_proj_b.weight', 'ssm_beta.weight', ['ssmHeads', 'embd'], { changes: [tiledRows({})] }),
  deltaNetTensor('A_log', 'ssm_a', ['ssmHeads'], { changes: [tiledRows({}), negatedExp], f32: true }),
  deltaNetTensor('dt_bias', 'ssm_dt.bias', ['ssmHeads'], { changes: [tiledRows({})] }),
  deltaNetTensor('conv1d.weight', 'ssm_conv1d.weight', ['channels', 'ssmTaps'], {
    changes: [squeezedKernel, channels],
  }),
  deltaNetTensor('norm.weight', 'ssm_norm.weight', ['valueHead'], { f32: true }),
  deltaNetTensor('out_proj.weight', 'ssm_out.weight', ['embd', 'ssmInner'], {
    changes: [tiledColumns({ headSize: 'valueHead' })],
  }),
];

/** Attention whose q_proj gives of every head q and a gate. */
const gatedAttentionTensors: readonly TensorRule[] = [
  inBlock('self_attn.q_proj.weight', 'attn_q.weight', ['queriesAndGates', 'embd'], { blocks: isFull }),
  inBlock('self_attn.k_proj.weight', 'attn_k.weight', ['k', 'embd'], { blocks: isFull }),
  inBlock('self_attn.v_proj.weight', 'attn_v.weight', ['v', 'embd'], { blocks: isFull }),
  inBlock('self_attn.o_proj.weight', 'attn_output.weight', ['embd', 'attnOut'], { blocks: isFull }),
  inBlock('self_attn.q_norm.weight', 'attn_q_norm.weight', ['headDim'], { blocks: isFull, changes: [plusOne] }),
  inBlock('self_attn.k_norm.weight', 'attn_k_norm.weight', ['headDim'], { blocks: isFull, changes: [plusOne] }),
];

const blockNorms: readonly TensorRule[] = [
  inBlock('input_layernorm.weight', 'attn_norm.weight', ['embd'], { changes: [plusOne] }),
  inBlock('post_attention_layernorm.weight', 'post_attention_norm.weight', ['embd'], { changes: [plusOne] }),
];

/** What joins the embedding of the next token and the hidden state before a draft block, and the norm after it. */
const draft = (hf: string, gguf: string, shape: TensorRule['shape'], changes = [plusOne]): TensorRule => ({
  gguf: `blk.{i}.nextn.${gguf}`,
  shape,
  presence: 'always',
  draft: 'only',
  stored: { name: `mtp.${hf}`, changes },
});

const draftTensors: readonly TensorRule[] = [
  draft('fc.weight', 'eh_proj.weight', ['embd', 'embdTwice'], []),
  draft('pre_fc_norm_embedding.weight', 'enorm.weight', ['embd']),
  draft('pre_fc_norm_hidden.weight', 'hnorm.weight', ['embd']),
  draft('norm.weight', 'shared_head_norm.weight', ['embd']),
];

/** @param feedForward what stands in place of the MLP */
export const qwen35Tensors = (feedForward: readonly TensorRule[], deltaNet = deltaNetTensors): TensorRule[] => [
  outsideBlocks('model.embed_tokens.weight', 'token_embd.weight', ['vocab', 'embd']),
  {
    ...outsideBlocks('model.norm.weight', 'output_norm.weight', ['embd']),
    stored: { name: 'model.norm.weight', changes: [plusOne] },
  },
  outsideBlocks('lm_head.weight', 'output.weight', ['vocab', 'embd'], 'untied'),
  ...blockNorms,
  ...deltaNet,
  ...gatedAttentionTensors,
  ...feedForward,
  ...draftTensors,
  ...inDraft([...blockNorms, ...gatedAttentionTensors, ...feedForward], 'mtp.layers.{m}.'),
];

/** Where config.json does not say it (Qwen3-Next), the names of the tensors do. */
const draftsOf: Draft['count'] = ({ mtp_num_hidden_layers: said }, { stores }) => {
  let stored = 0;
  while (stored < maxBlocks && stores(`mtp.layers.${stored}.`)) stored++;
  return said || stored;
};

/** What the records of Qwen 3.5 share. */
export const qwen35Family = {
  fixed: [
    ...fixedForDense,
    { key: 'attention_bias', values: [false], why: 'GGUF has no attention biases for qwen35' },
    { key: 'attn_output_gate', values: [true], why: 'attention is gated' },
    { key: 'mtp_use_dedicated_embeddings', values: [false], why: 'draft blocks use the embedding of the model' },
  ],
  rope: { types: ['default', 'linear', 'yarn'], partial: part, sections: [11, 11, 10, 0] },
  ignored: ['rope_parameters.mrope_interleaved', 'rope_scaling.mrope_interleaved', 'mamba_ssm_dtype'],
  // The released tokenizers have an expression of their own, in which marks count as letters.
  preTokenizers: { qwen2: 'qwen35' },
  slidingWindow: false,
  sizes: (_numbers, _block, { ssmGroups, ssmState, ssmInner, ssmHeads, q }) => {
    const keyRows = 2 * ssmGroups! * ssmState!;
    return { keyRows, channels: keyRows + ssmInner!, valueHead: ssmInner! / ssmHeads!, queriesAndGates: 2 * q! };
  },
  draft: { count: draftsOf, start: () => 'mtp.' },
} as const satisfies Partial<Architecture>;

/** A delta net where `attention.recurrent_layers` says so (files without it: but for every fourth block), else attention. */
export function qwen35Mixers(
  read: NetworkReader,
  eps: number,
  sharing: DeltaNetSpec['sharing'] = 'turns',
): (block: number) => MixerSpec {
  const blocks = read.integer('block_count', 1, maxBlocks);
  const interval = read.optionalInteger('full_attention_interval', 4, 1, maxBlocks);
  const drafts = read.optionalInteger('nextn_predict_layers', 0, 0, blocks - 1);
  const recurrent = read.has('attention.recurrent_layers')
    ? read.switchPerLayer('attention.recurrent_layers', blocks)
    : Array.from({ length: blocks - drafts }, (_, block) => everyNth(interval, true, false)(block));
  const attention: MixerSpec = {
    ...readAttention(read, {
      style: 'neox',
      qkNorm: { eps, over: 'head', at: 'before-rope' },
      block: Math.max(0, recurrent.indexOf(false)),
    }),
    gate: { act: 'sigmoid', in: 'query' },
  };
  const keyHeads = read.integer('ssm.group_count', 1, 1 << 16);
  const heads = read.integer('ssm.time_step_rank', 1, 1 << 16);
  const inner = read.integer('ssm.inner_size', 1, maxWidth);
  if (heads % keyHeads !== 0) read.fail('ssm.group_count', `${keyHeads} key heads do not divide ${heads} value heads`);
  if (inner % heads !== 0) read.fail('ssm.inner_size', `${heads} value heads do not divide ${inner}`);
  const deltaNet: MixerSpec = {
    kind: 'delta-net',
    keyHeads,
    heads,
    sharing,
    keyLength: read.integer('ssm.state_size', 1, 1024),
    valueLength: inner / heads,
    taps: read.integer('ssm.conv_kernel', 2, 16),
    eps,
  };
  return (block) => (recurrent[block] ? deltaNet : attention);
}

/** Of both kinds of mixers; what is gated at the end is linear in the values. */
export const deltaNetPairs: readonly ScalingPair[] = [
  ...attentionPairs,
  { prev: 'attn_norm', layers: ['attn_qkv', 'attn_gate'], followers: ['ssm_alpha', 'ssm_beta'], inspect: 'sub-layer' },
];

export const qwen35: Architecture = {
  ...qwen35Family,
  family: 'qwen35',
  name: 'qwen35',
  hf: ['Qwen3_5ForCausalLM', 'Qwen3_5ForConditionalGeneration'],
  modelType: ['qwen3_5_text', 'qwen3_5'],
  config: [
    ...denseConfig({ contextLength: 32768, kvHeads: 4, rmsEps: 1e-6, headDim: () => 256 }),
    ...deltaNetConfig({ draftKey: true }),
  ],
  tensors: qwen35Tensors(mlpTensors),
  network: (read) => {
    const eps = readEps(read);
    const mixerOf = qwen35Mixers(read, eps);
    const mlp = readGatedMlp(read);
    return decoder(read, (block) => postAttentionNormBlock(eps, mixerOf(block), mlp));
  },
  awq: [
    ...deltaNetPairs,
    { prev: 'post_attention_norm', layers: ['ffn_gate', 'ffn_up'], inspect: 'sub-layer' },
    { prev: 'ffn_up', layers: ['ffn_down'], inspect: 'layer' },
  ],
};
