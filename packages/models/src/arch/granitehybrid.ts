// Granite 4-H: Mamba-2 blocks and a few blocks with attention, mostly without rope; experts and an MLP beside them, or that
// MLP alone. GGUF: GraniteHybridModel of llama.cpp's conversion/granite.py.
import type { AttentionSpec } from '../forward/mixers/attention/spec.ts';
import type { NetworkReader } from '../network-reader.ts';
import type { Architecture, ConfigRule, Json, TensorRule } from './architecture.ts';
import { configError, count, show } from './config-error.ts';
import { preNormBlock, readAttention, readBlocks, readEps, readGatedMlp } from './decoder.ts';
import { attentionBlockTensors, denseConfig, embeddingTensors } from './dense.ts';
import { graniteAttention, graniteConfig, graniteDefaults, graniteFamily, graniteNetwork } from './granite.ts';
import { graniteExpertTensors, sharedMlpTensors, sharedWidth } from './granitemoe.ts';
import { layerTypes } from './layer-types.ts';
import {
  hasAttention,
  inBlocks,
  innerWidth,
  mamba2Sizes,
  mamba2Tensors,
  noTimeStepLimit,
  readMamba2,
} from './mamba2.ts';
import { maxExperts } from './mixture.ts';
import { readExperts, readSharedExpert } from './read-experts.ts';

/** Published names, then those of transformers 5. */
const kinds = ['mamba', 'attention', 'linear_attention', 'full_attention'] as const;
/** Which layers have attention. */
export const attentionIn = (config: Json): boolean[] =>
  layerTypes(config, kinds, () => 'mamba').map((kind) => kind === 'attention' || kind === 'full_attention');

/** What the converter writes for models without rope, whose context nothing limits. */
const longContext = 2 ** 20;
const kvHeads = (config: Json): number => count(config, 'num_key_value_heads', { missing: config.num_attention_heads });

/** Key-value heads, in the blocks that have some. */
export const someHeads: ConfigRule = {
  gguf: ['attention.head_count_kv'],
  type: 'uint32',
  made: (config) => inBlocks(kvHeads(config), attentionIn(config)),
  back: (numbers) => {
    const list = numbers.list('attention.head_count_kv')!;
    return {
      num_key_value_heads: Math.max(...list),
      layer_types: list.map((count) => (count > 0 ? 'attention' : 'mamba')),
    };
  },
};

/** Keys whose values in a hybrid are others than in a dense model. */
const changed: Readonly<Record<string, ConfigRule>> = {
  context_length: {
    gguf: ['context_length'],
    type: 'uint32',
    made: () => longContext,
    back: () => ({ max_position_embeddings: longContext }),
  },
  'attention.head_count_kv': someHeads,
};

const expertCount = { type: 'uint32', min: 0, max: maxExperts } as const;

export const granitehybridConfig: readonly (ConfigRule | 'rope' | 'fileType')[] = [
  ...denseConfig({
    ...graniteDefaults,
    experts: [
      { ...expertCount, hf: 'num_local_experts', gguf: ['expert_count'], missing: () => 8 },
      { ...expertCount, hf: 'num_experts_per_tok', gguf: ['expert_used_count'], missing: () => 2 },
    ],
  }),
  ...graniteConfig,
  { ...sharedWidth, min: 1, missing: () => 1024 },
  { hf: 'mamba_d_conv', gguf: ['ssm.conv_kernel'], type: 'uint32', missing: () => 4 },
  { hf: 'mamba_d_state', gguf: ['ssm.state_size'], type: 'uint32', missing: () => 256 },
  { hf: 'mamba_n_groups', gguf: ['ssm.group_count'], type: 'uint32', missing: () => 1 },
  {
    gguf: ['ssm.inner_size'],
    type: 'uint32',
    made: (config) => {
      const { mamba_expand: expand = 2, mamba_d_head: size = 'auto' } = config;
      const inner = expand * config.hidden_size;
      if (size === 'auto' || innerWidth(config, 'mamba_n_heads', 'mamba_d_head') === inner) return inner;
      throw configError(
        `"mamba_expand" is ${show(expand)}, and heads of "mamba_d_head" ${show(size)} are another width`,
      );
    },
    back: (numbers) => ({
      mamba_d_head: numbers.at('ssm.inner_size')! / numbers.at('ssm.time_step_rank')!,
      mamba_expand: numbers.at('ssm.inner_size')! / numbers.at('embedding_length')!,
    }),
  },
  { hf: 'mamba_n_heads', gguf: ['ssm.time_step_rank'], type: 'uint32', missing: () => 128 },
  {
    gguf: ['rope.scaling.finetuned'],
    type: 'bool',
    made: ({ position_embedding_type: type = 'nope' }) => {
      if (type === 'rope' || type === 'nope' || type === null) return type === 'rope';
      throw configError(`"position_embedding_type" is ${show(type)} (known: rope, nope)`);
    },
    back: (numbers) => ({ position_embedding_type: numbers.isTrue('rope.scaling.finetuned') ? 'rope' : 'nope' }),
  },
];

const hasExperts: TensorRule['blocks'] = ({ numbers }) => (numbers.at('expert_count') ?? 0) > 0;
const hasNone: TensorRule['blocks'] = ({ numbers }) => (numbers.at('expert_count') ?? 0) === 0;

/** Attention with the key-value heads of the blocks that have some. */
function readSomeAttention(read: NetworkReader, heads: readonly number[]): AttentionSpec | undefined {
  const block = heads.findIndex((count) => count > 0);
  if (block < 0) return undefined;
  return graniteAttention(read, readAttention(read, { style: 'norm', kvHeads: heads[block]!, block }));
}

export const granitehybrid: Architecture = {
  ...graniteFamily,
  family: 'granitehybrid',
  name: 'granitehybrid',
  hf: ['GraniteMoeHybridForCausalLM'],
  modelType: 'granitemoehybrid',
  when: (config) => !attentionIn(config).every(Boolean),
  config: granitehybridConfig.map((rule) => (typeof rule === 'object' && changed[rule.gguf[0]!]) || rule),
  fixed: [
    ...graniteFamily.fixed,
    { key: 'mamba_proj_bias', values: [false], why: 'biases around Mamba blocks are not mapped' },
    { key: 'mamba_hidden_act', values: ['silu'], why: 'Mamba blocks are computed with SiLU' },
    noTimeStepLimit,
  ],
  ignored: [...graniteFamily.ignored, 'mamba_expand', 'max_position_embeddings'],
  sizes: (_numbers, _block, sizes) => ({ expertFf: sizes.ff!, ...mamba2Sizes(sizes) }),
  tensors: [
    ...embeddingTensors,
    ...attentionBlockTensors({ permute: true }).map((rule) =>
      rule.gguf.includes('norm') ? rule : { ...rule, blocks: hasAttention },
    ),
    ...mamba2Tensors({ at: 'mamba', convolutionBias: 'mamba_conv_bias', blocks: (place) => !hasAttention(place) }),
    ...graniteExpertTensors.map((rule) => ({ ...rule, blocks: hasExperts })),
    ...sharedMlpTensors('_shexp', hasExperts),
    ...sharedMlpTensors('', hasNone),
  ],
  experts: 'some',
  network: (read) => {
    const eps = readEps(read);
    const heads = read.perLayer('attention.head_count_kv', readBlocks(read), 0, 1 << 16);
    const attention = readSomeAttention(read, heads);
    const mamba = readMamba2(read, heads.indexOf(0), { eps });
    const feedForwards = readFeedForwards(read);
    return graniteNetwork(read, (block) => preNormBlock(eps, heads[block]! > 0 ? attention! : mamba, ...feedForwards));
  },
  awq: [],
  notPacked: 'its experts are stored two matrices in one',
  remarks: [
    'rope: where position_embedding_type says so, though llama.cpp’s converter leaves it out of models with Mamba blocks',
  ],
};

function readFeedForwards(read: NetworkReader) {
  if (read.optionalInteger('expert_count', 0, 0, maxExperts) === 0)
    return [{ ...readGatedMlp(read), width: read.integer('expert_shared_feed_forward_length', 1, 1 << 24) }];
  const experts = readExperts(read, { over: 'chosen', width: (feedForwardLength) => feedForwardLength });
  return [experts, ...readSharedExpert(read, experts)];
}
