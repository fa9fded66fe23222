// MiMo V2 (Flash): keys longer than values; blocks with a window have twice the key-value heads, a sink for each head and a
// rope of their own; what attention gives is scaled; experts as DeepSeek V3 has them, without shared ones; three draft blocks.
// GGUF: MimoV2Model of llama.cpp's conversion/mimo.py.
import type { FeedForwardSpec } from '../forward/feed-forwards/index.ts';
import type { BlockSpec, Network } from '../forward/network.ts';
import { rmsNorm } from '../forward/norm.ts';
import type { NetworkReader } from '../network-reader.ts';
import type { Architecture, ConfigRule, Json, TensorRule } from './architecture.ts';
import { configError, count, isAbsent, show } from './config-error.ts';
import { decoder, readAttention, readBlocks, readEps, readGatedMlp, readWindowRope } from './decoder.ts';
import { fixedForSigmoid, sigmoidRouter } from './deepseek.ts';
import {
  attentionBlockTensors,
  attentionPairs,
  denseConfig,
  embeddingTensors,
  fixedForDense,
  inBlock,
  mlpTensors,
} from './dense.ts';
import { draftCount, inDraft } from './draft-blocks.ts';
import {
  expertsOfBlocks,
  kvHeadsOfBlocks,
  readMimoWindows,
  routerOf,
  routerRows,
  windowsOfBlocks,
} from './mimo2-layers.ts';
import { expertCounts, expertTensors, groupCounts, mixedFeedForwardPairs } from './mixture.ts';
import { readExperts } from './read-experts.ts';
import { ropeOfKind, rotaryPart } from './rotary-part.ts';

const [usualHeadDim, usualPart, windowTheta] = [192, 0.334, 10000];

const rotaryOf = (config: Json, kind: string): number => {
  const headDim = isAbsent(config.head_dim) ? usualHeadDim : count(config, 'head_dim', { max: 1 << 16 });
  return Math.floor(headDim * (rotaryPart(config, ropeOfKind(config, kind) ?? {}) ?? usualPart));
};

const rotary: readonly ConfigRule[] = [
  {
    gguf: ['rope.dimension_count'],
    type: 'uint32',
    made: (config) => rotaryOf(config, 'full_attention'),
  },
  {
    // llama.cpp has one for both kinds.
    gguf: ['rope.dimension_count_swa'],
    type: 'uint32',
    made: (config) => {
      const [full, windowed] = ['full_attention', 'sliding_attention'].map((kind) => rotaryOf(config, kind));
      return windowed === full ? undefined : windowed;
    },
  },
];

// biome-ignore lint/suspicious/noApproximativeNumericConstant: the number of the class
const usualValueScale = 0.707;

/** The class scales when nothing is said; null: it does not. */
const valueScale: ConfigRule = {
  gguf: ['attention.value_scale'],
  type: 'float32',
  made: ({ attention_value_scale: scale = usualValueScale }) => scale ?? undefined,
  back: (numbers) => {
    const scale = numbers.at('attention.value_scale');
    return { attention_value_scale: scale === undefined ? null : Number(scale.toPrecision(7)) };
  },
};

/** The published name, which the converter reads last. */
const publishedEps: ConfigRule = {
  gguf: ['attention.layer_norm_rms_epsilon'],
  type: 'float32',
  made: ({ rms_norm_eps: eps, layernorm_epsilon: published }) => {
    if (isAbsent(eps)) return published ?? 1e-5;
    if (isAbsent(published) || published === eps) return undefined;
    throw configError(`"rms_norm_eps" is ${show(eps)} and "layernorm_epsilon" ${show(published)}`);
  },
  back: (numbers) => ({ layernorm_epsilon: Number(numbers.at('attention.layer_norm_rms_epsilon')!.toPrecision(7)) }),
};

/** llama.cpp normalizes always, and never scales. */
const weights: readonly ConfigRule[] = [
  {
    gguf: ['expert_weights_norm'],
    type: 'bool',
    made: ({ norm_topk_prob: norm }) => (norm === false ? false : undefined),
    back: (numbers) => ({
      norm_topk_prob: !numbers.has('expert_weights_norm') || numbers.isTrue('expert_weights_norm'),
    }),
  },
  {
    gguf: ['expert_weights_scale'],
    type: 'float32',
    made: ({ routed_scaling_factor: scale }) => (isAbsent(scale) || scale === 1 ? undefined : scale),
    back: (numbers) => ({
      routed_scaling_factor: Number((numbers.at('expert_weights_scale') ?? 1).toPrecision(7)),
    }),
  },
];

/** GGUF has one number for both kinds of layers. */
function unsupported(config: Json): string | undefined {
  const pairs = [
    ['swa_num_attention_heads', config.num_attention_heads ?? 64],
    ['swa_head_dim', config.head_dim ?? usualHeadDim],
    ['swa_v_head_dim', config.v_head_dim ?? 128],
  ] as const;
  const other = pairs.find(([key, value]) => !isAbsent(config[key]) && config[key] !== value);
  return other && `"${other[0]}": ${show(config[other[0]])} (the other layers have ${show(other[1])})`;
}

const isWindowed: NonNullable<TensorRule['blocks']> = ({ numbers, block }) =>
  numbers.isTrue('attention.sliding_window_pattern', block);
const isSparse: NonNullable<TensorRule['blocks']> = ({ numbers, block }) =>
  numbers.rowsOf(routerOf(block)) !== undefined;

const flag = { presence: { flag: 'attention_bias' } } as const;
const attention: readonly TensorRule[] = [
  ...attentionBlockTensors({ permute: false }),
  inBlock('self_attn.q_proj.bias', 'attn_q.bias', ['q'], flag),
  inBlock('self_attn.k_proj.bias', 'attn_k.bias', ['k'], flag),
  inBlock('self_attn.v_proj.bias', 'attn_v.bias', ['v'], flag),
  {
    ...inBlock('self_attn.attention_sink_bias', 'attn_sinks.weight', ['heads'], { blocks: isWindowed }),
    also: [{ name: 'model.layers.{i}.self_attn.sinks' }],
  },
];

const joined: readonly TensorRule[] = [
  inBlock('eh_proj.weight', 'nextn.eh_proj.weight', ['embd', 'embdTwice']),
  inBlock('enorm.weight', 'nextn.enorm.weight', ['embd']),
  inBlock('hnorm.weight', 'nextn.hnorm.weight', ['embd']),
  inBlock('final_layernorm.weight', 'layer_output_norm.weight', ['embd']),
];

/** The norm before the MLP has a name of its own there. */
const draftTensors = inDraft([...joined, ...attention, ...mlpTensors], 'model.mtp.layers.{m}.').map((rule) =>
  rule.gguf.endsWith('.ffn_norm.weight')
    ? { ...rule, stored: { name: 'model.mtp.layers.{m}.pre_mlp_layernorm.weight' } }
    : rule,
);

function network(read: NetworkReader): Network {
  const eps = readEps(read);
  const blocks = readBlocks(read);
  const windows = readMimoWindows(read, blocks);
  const kvHeads = read.perLayer('attention.head_count_kv', blocks, 1, 1 << 16);
  const mlp = readGatedMlp(read);
  const sparse = windows.findIndex((_, i) => read.hasTensor(routerOf(i)));
  const experts = sparse < 0 ? mlp : readExperts(read, { over: 'chosen', score: 'sigmoid', block: sparse });
  const scale = read.optionalNumber('attention.value_scale', 1, -1e6, 1e6);
  const block = (i: number): BlockSpec => {
    const { window: _, ...full } = readAttention(read, { style: 'neox', kvHeads: kvHeads[i]!, block: i });
    const window = windows[i];
    const mixer = {
      ...full,
      ...(window !== undefined && { window, rope: readWindowRope(read, full.rope!, windowTheta) }),
      ...(read.hasTensor(`blk.${i}.attn_sinks.weight`) && { sinks: true }),
    };
    const feedForward: FeedForwardSpec = read.hasTensor(routerOf(i)) ? experts : mlp;
    return {
      subLayers: [
        { before: rmsNorm('attn_norm', eps), parts: [{ room: mixer }], ...(scale !== 1 && { scale }) },
        { before: rmsNorm('ffn_norm', eps), parts: [{ room: feedForward }] },
      ],
    };
  };
  const made = decoder(read, block);
  return { ...made, draft: made.draft.map((draft) => ({ ...draft, norm: rmsNorm('layer_output_norm', eps) })) };
}

/** Numbered from 0, without gaps. */
function draftBlocks({ stores }: { stores: (start: string) => boolean }): number {
  let found = 0;
  while (stores(`mtp.layers.${found}.`)) found++;
  return found;
}

const sizes = denseConfig({
  contextLength: 131072,
  heads: 64,
  rmsEps: 1e-5,
  headDim: () => usualHeadDim,
  experts: [
    ...expertCounts({ experts: 256, used: 8 }, ['n_routed_experts', 'num_experts', 'num_local_experts']),
    ...groupCounts,
    sigmoidRouter,
  ],
}).flatMap((rule): Architecture['config'][number][] => {
  if (typeof rule === 'string') return [rule];
  if (rule.gguf[0] === 'attention.head_count_kv') return [kvHeadsOfBlocks];
  if (rule.gguf[0] === 'attention.layer_norm_rms_epsilon') return [{ ...rule, missing: () => undefined } as ConfigRule];
  if (rule.gguf[0] !== 'attention.key_length') return [rule];
  return [
    { hf: 'head_dim', gguf: ['attention.key_length'], type: 'uint32', missing: () => usualHeadDim },
    { hf: 'v_head_dim', gguf: ['attention.value_length'], type: 'uint32', missing: () => 128 },
  ];
});

export const mimo2: Architecture = {
  family: 'mimo2',
  name: 'mimo2',
  hf: ['MiMoV2FlashForCausalLM'],
  modelType: 'mimo_v2_flash',
  vocabSize: 152576,
  config: [
    ...sizes,
    ...windowsOfBlocks,
    { hf: 'moe_intermediate_size', gguf: ['expert_feed_forward_length'], type: 'uint32', missing: () => 2048 },
    ...rotary,
    publishedEps,
    valueScale,
    ...weights,
    expertsOfBlocks,
    draftCount(undefined),
  ],
  fixed: [
    ...fixedForDense,
    ...fixedForSigmoid,
    { key: 'n_shared_experts', values: [0], why: 'there are no shared experts' },
    { key: 'add_full_attention_sink_bias', values: [false], why: 'layers without a window have no sinks' },
    { key: 'add_swa_attention_sink_bias', values: [true], why: 'layers with a window have sinks' },
    { key: 'hybrid_block_size', values: [], why: '"hybrid_layer_pattern" says which layers have a window' },
  ],
  ignored: ['attention_chunk_size'],
  unsupported,
  rows: routerRows,
  rope: { types: ['default'], theta: 5e6, partial: usualPart, window: { theta: windowTheta, byKind: true } },
  slidingWindow: false,
  tensors: [
    ...embeddingTensors,
    ...attention,
    ...mlpTensors.map((rule) => ({
      ...rule,
      blocks: (place: Parameters<typeof isSparse>[0]) => !isSparse(place),
    })),
    ...[
      ...expertTensors('mlp', { gate: 'gate_proj', up: 'up_proj', down: 'down_proj' }),
      inBlock('mlp.gate.e_score_correction_bias', 'exp_probs_b.bias', ['experts'], { f32: true }),
    ].map((rule) => ({ ...rule, blocks: isSparse })),
    ...draftTensors,
  ],
  experts: true,
  draft: { count: (_, { stores }) => draftBlocks({ stores }), start: () => 'mtp.' },
  network,
  awq: [...attentionPairs, ...mixedFeedForwardPairs],
  remarks: [
    'a window of 128 is 128 tokens and the one that looks back (transformers, SGLang); llama.cpp sees one less',
    'draft blocks are counted in the checkpoint; the converter of llama.cpp always expects three',
    'MiMo V2.5 (MiMoV2ForCausalLM: q, k and v in one matrix, by the ranks of its training) is not read',
  ],
};
