// Nemotron-H and Nemotron 3: blocks of one sub-layer each, a Mamba-2 mixer, attention without rope, a plain MLP of relu², or
// experts of that kind. GGUF: NemotronHModel of llama.cpp's conversion/nemotron.py.
import { halvesToPairs } from '../change/permuted-heads.ts';
import type { BlockSpec, RoomSpec } from '../forward/network.ts';
import { rmsNorm } from '../forward/norm.ts';
import type { NetworkReader } from '../network-reader.ts';
import type { Architecture, ConfigRule, FixedConfig, Json, TensorRule } from './architecture.ts';
import { configError, count, isAbsent, show } from './config-error.ts';
import { decoder, maxWidth, readAttention, readBlocks } from './decoder.ts';
import { evenHeadDim, inBlock, outsideBlocks } from './dense.ts';
import {
  hasAttention,
  inBlocks,
  innerWidth,
  mamba2Sizes,
  mamba2Tensors,
  noTimeStepLimit,
  readMamba2,
} from './mamba2.ts';
import { maxBlocks } from './model-numbers.ts';

export type Kind = 'mamba' | 'attention' | 'mlp' | 'moe';

/** Letters of published patterns, words of transformers 5, and older words. */
const kinds: Readonly<Record<string, Kind>> = {
  ...{ M: 'mamba', '*': 'attention', '-': 'mlp', E: 'moe' },
  ...{ linear_attention: 'mamba', full_attention: 'attention', mlp: 'mlp', moe: 'moe' },
  ...{ mamba: 'mamba', attention: 'attention' },
};
const words: Readonly<Record<Kind, string>> = {
  ...{ mamba: 'linear_attention', attention: 'full_attention', mlp: 'mlp', moe: 'moe' },
};

/** The list of kinds, in every release's spelling. */
const listKeys = ['hybrid_override_pattern', 'layers_block_type', 'layer_types'];

/** @throws QuernError `config-bad-value` */
export function kindsOf(config: Json): Kind[] {
  const [first, ...others] = listKeys.filter((key) => !isAbsent(config[key]));
  const listed = kindsAt(config, first ?? 'layers_block_type');
  const other = others.find((key) => kindsAt(config, key).some((kind, block) => kind !== listed[block]));
  if (other) throw configError(`"${first}" and "${other}" list different layers`);
  return listed;
}

function kindsAt(config: Json, key: string): Kind[] {
  const given: unknown = config[key];
  const list = typeof given === 'string' ? [...given] : given;
  if (!Array.isArray(list) || list.length === 0 || list.length > maxBlocks)
    throw configError(`"${key}" is ${show(given)}, a list with a kind for each layer is needed`);
  const { num_hidden_layers: layers = list.length } = config;
  if (layers !== list.length)
    throw configError(`"${key}" has ${list.length} entries, and "num_hidden_layers" is ${show(layers)}`);
  return list.map((word) => {
    if (typeof word === 'string' && Object.hasOwn(kinds, word)) return kinds[word]!;
    throw configError(`"${key}" has ${show(word)} (known: ${Object.keys(kinds).join(', ')})`);
  });
}

/** Which blocks are of a kind; draft blocks have attention and experts. */
const are = (config: Json, draftBlocks: number, ...wanted: readonly Kind[]): boolean[] => [
  ...kindsOf(config).map((kind) => wanted.includes(kind)),
  ...Array<boolean>(draftBlocks).fill(wanted.includes('attention') || wanted.includes('moe')),
];

const longContext = 2 ** 20;

/** @param experts keys of the experts: those in the middle, and those at the end */
export const nemotronhConfig = (experts: readonly ConfigRule[] = [], widths: readonly ConfigRule[] = []) =>
  [
    {
      gguf: ['block_count'],
      type: 'uint32',
      made: (config, { draftBlocks }) => kindsOf(config).length + draftBlocks,
    },
    {
      gguf: ['context_length'],
      type: 'uint32',
      made: () => longContext,
      back: () => ({ max_position_embeddings: longContext }),
    },
    { hf: 'hidden_size', gguf: ['embedding_length'], type: 'uint32' },
    {
      gguf: ['feed_forward_length'],
      type: 'uint32',
      made: (config, { draftBlocks }) =>
        inBlocks(
          experts.length > 0
            ? count(config, 'moe_intermediate_size', { missing: 7688 })
            : count(config, 'intermediate_size', { missing: 21504 }),
          are(config, draftBlocks, experts.length > 0 ? 'moe' : 'mlp'),
        ),
      back: (numbers) => ({
        intermediate_size: Math.max(...numbers.list('feed_forward_length')!),
        layers_block_type: Array.from({ length: numbers.blocks - numbers.draftBlocks }, (_, block) => {
          if (numbers.at('attention.head_count_kv', block)! > 0) return words.attention;
          if (numbers.at('feed_forward_length', block)! === 0) return words.mamba;
          return experts.length > 0 ? words.moe : words.mlp;
        }),
      }),
    },
    { hf: 'num_attention_heads', gguf: ['attention.head_count'], type: 'uint32', missing: () => 32 },
    {
      gguf: ['attention.head_count_kv'],
      type: 'uint32',
      made: (config, { draftBlocks }) =>
        inBlocks(count(config, 'num_key_value_heads', { missing: 8 }), are(config, draftBlocks, 'attention')),
      back: (numbers) => ({ num_key_value_heads: Math.max(...numbers.list('attention.head_count_kv')!) }),
    },
    { hf: 'rope_theta', gguf: ['rope.freq_base'], type: 'float32', missing: () => undefined },
    { hf: 'layer_norm_epsilon', gguf: ['attention.layer_norm_epsilon'], type: 'float32', missing: () => 1e-5 },
    ...experts,
    'fileType',
    { hf: 'vocab_size', gguf: ['vocab_size'], type: 'uint32' },
    { gguf: ['rope.dimension_count'], type: 'uint32', made: evenHeadDim },
    { hf: 'conv_kernel', gguf: ['ssm.conv_kernel'], type: 'uint32', missing: () => 4 },
    { hf: 'ssm_state_size', gguf: ['ssm.state_size'], type: 'uint32', missing: () => 128 },
    { hf: 'n_groups', gguf: ['ssm.group_count'], type: 'uint32', missing: () => 8 },
    {
      gguf: ['ssm.inner_size'],
      type: 'uint32',
      made: (config) => innerWidth(config, 'mamba_num_heads', 'mamba_head_dim'),
      back: (numbers) => ({ mamba_head_dim: numbers.at('ssm.inner_size')! / numbers.at('ssm.time_step_rank')! }),
    },
    { hf: 'mamba_num_heads', gguf: ['ssm.time_step_rank'], type: 'uint32', missing: () => 128 },
    { gguf: ['rope.scaling.finetuned'], type: 'bool', made: () => false },
    {
      hf: ['head_dim', 'attention_head_dim'],
      gguf: ['attention.key_length', 'attention.value_length'],
      type: 'uint32',
      missing: () => 128,
    },
    ...widths,
  ] as const satisfies Architecture['config'];

const fixed: readonly FixedConfig[] = [
  { key: 'mlp_hidden_act', values: ['relu2'], why: 'the MLP is computed with relu²' },
  { key: 'mamba_hidden_act', values: ['silu'], why: 'Mamba blocks are computed with SiLU' },
  ...['attention_bias', 'use_bias', 'mlp_bias', 'mamba_proj_bias'].map((key) => ({
    ...{ key, values: [false], why: 'biases are not mapped' },
  })),
  { key: 'sliding_window', values: [], why: 'attention has no window' },
  noTimeStepLimit,
];

const blocks: TensorRule['blocks'] = hasAttention;
export const hasFeedForward: NonNullable<TensorRule['blocks']> = ({ numbers, block }) =>
  (numbers.at('feed_forward_length', block) ?? 0) > 0;

/** Rows are ordered as for rope, which there is none: q and k alike, so that nothing depends on it. */
export const attentionTensors: readonly TensorRule[] = [
  inBlock('mixer.q_proj.weight', 'attn_q.weight', ['q', 'embd'], { blocks, changes: [halvesToPairs('heads')] }),
  inBlock('mixer.k_proj.weight', 'attn_k.weight', ['k', 'embd'], { blocks, changes: [halvesToPairs('kvHeads')] }),
  inBlock('mixer.v_proj.weight', 'attn_v.weight', ['v', 'embd'], { blocks }),
  inBlock('mixer.o_proj.weight', 'attn_output.weight', ['embd', 'attnOut'], { blocks }),
];
export const blockNorm: TensorRule = inBlock('norm.weight', 'attn_norm.weight', ['embd']);

/** Its checkpoints call the network `backbone`. */
export const nemotronhTensors = (
  feedForward: readonly TensorRule[],
  draft: readonly TensorRule[] = [],
): TensorRule[] => [
  outsideBlocks('backbone.embeddings.weight', 'token_embd.weight', ['vocab', 'embd']),
  outsideBlocks('backbone.norm_f.weight', 'output_norm.weight', ['embd']),
  outsideBlocks('lm_head.weight', 'output.weight', ['vocab', 'embd'], 'untied'),
  ...[
    blockNorm,
    ...attentionTensors,
    ...mamba2Tensors({
      at: 'mixer',
      convolutionBias: 'use_conv_bias',
      blocks: (place) => !hasAttention(place) && !hasFeedForward(place),
      f32: true,
    }),
    ...feedForward,
  ].map((rule) => ({
    ...rule,
    stored: { ...rule.stored!, name: String(rule.stored!.name).replace(/^model\./, 'backbone.') },
  })),
  ...draft,
];

/** What both records share. */
export const nemotronhFamily = {
  hf: ['NemotronHForCausalLM'],
  modelType: 'nemotron_h',
  fixed,
  ignored: [
    ...['num_hidden_layers', 'max_position_embeddings', 'expand', 'rms_norm_eps', 'norm_eps', 'hidden_act'],
    // Written by transformers for models without experts as well.
    ...['moe_intermediate_size', 'moe_shared_expert_intermediate_size', 'moe_shared_expert_overlap', 'n_group'],
    ...['n_routed_experts', 'n_shared_experts', 'norm_topk_prob', 'num_experts_per_tok', 'routed_scaling_factor'],
    ...['topk_group', 'mtp_layers_block_type', 'mtp_hybrid_override_pattern', 'intermediate_size'],
    ...['partial_rotary_factor', 'rope_parameters', 'rope_scaling'],
  ],
  slidingWindow: false,
  awq: [],
  notPacked: 'between the matrices of its blocks stand relu² and convolutions, through which no scale can move',
} as const satisfies Partial<Architecture>;

/** @param feedForwards what a block has where it has no mixer */
export function nemotronhNetwork(read: NetworkReader, feedForwards: readonly RoomSpec[]) {
  const eps = read.number('attention.layer_norm_epsilon', 0, 1);
  const all = readBlocks(read);
  const heads = read.perLayer('attention.head_count_kv', all, 0, 1 << 16);
  const widths = read.perLayer('feed_forward_length', all, 0, maxWidth);
  const mamba = heads.findIndex((count, block) => count === 0 && widths[block] === 0);
  const mixerOf = (block: number): RoomSpec[] => {
    if (heads[block] === 0) return widths[block] === 0 ? [readMamba2(read, mamba, { eps })] : [];
    return [readAttention(read, { kvHeads: heads[block]!, block })];
  };
  const blockOf = (block: number): BlockSpec => {
    const sides = [mixerOf(block), widths[block]! > 0 ? feedForwards : []].filter((rooms) => rooms.length > 0);
    return {
      subLayers: sides.map((rooms, side) => ({
        before: rmsNorm(side === 0 ? 'attn_norm' : 'post_attention_norm', eps),
        parts: rooms.map((room) => ({ room })),
      })),
    };
  };
  return decoder(read, blockOf, rmsNorm('output_norm', eps));
}

export const nemotronh: Architecture = {
  ...nemotronhFamily,
  family: 'nemotronh',
  name: 'nemotron_h',
  when: (config) => !kindsOf(config).includes('moe'),
  config: nemotronhConfig(),
  sizes: (_numbers, _block, sizes) => mamba2Sizes(sizes),
  tensors: nemotronhTensors([
    inBlock('mixer.up_proj.weight', 'ffn_up.weight', ['ff', 'embd'], { blocks: hasFeedForward }),
    inBlock('mixer.down_proj.weight', 'ffn_down.weight', ['embd', 'ff'], { blocks: hasFeedForward }),
  ]),
  network: (read) => {
    const width = Math.max(...read.perLayer('feed_forward_length', readBlocks(read), 0, maxWidth));
    return nemotronhNetwork(read, [{ kind: 'plain-mlp', width, activation: { act: 'relu2' }, biased: false }]);
  },
};
