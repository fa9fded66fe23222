// Command R7B and Command A (cohere2), and their kin with experts (cohere2moe): attention and MLP read one layer norm side by
// side; blocks with a window know positions, the others none. GGUF: Cohere2Model of llama.cpp's conversion/command_r.py.
import type { FeedForwardSpec } from '../forward/feed-forwards/index.ts';
import type { AttentionSpec } from '../forward/mixers/attention/spec.ts';
import type { BlockSpec, Network } from '../forward/network.ts';
import type { NormSpec } from '../forward/norm.ts';
import type { NetworkReader } from '../network-reader.ts';
import type { Architecture, ConfigRule, Json, ScalingPair } from './architecture.ts';
import { configError, count, isAbsent, show } from './config-error.ts';
import { decoder, readAttention, readBlocks, readGatedMlp } from './decoder.ts';
import { type DenseDefaults, denseConfig, embeddingTensors, fixedForDense, inBlock, mlpTensors } from './dense.ts';
import { everyNth, layerTypes } from './layer-types.ts';
import { denseBlocks, inDenseBlocks, inSparseBlocks, leadingDense } from './leading-dense.ts';
import { expertCounts, expertTensors, maxExperts, plainSharedExpertTensors } from './mixture.ts';
import { readExperts, readSharedExpert } from './read-experts.ts';
import { readWindows, windowLayerKeys } from './window-layers.ts';

const period = 4;

/** Keys as of other models, with a layer norm in place of the RMS norm. */
function cohereConfig(defaults: DenseDefaults): Architecture['config'] {
  const epsKey = 'attention.layer_norm_rms_epsilon';
  const eps: ConfigRule = {
    hf: 'layer_norm_eps',
    gguf: ['attention.layer_norm_epsilon'],
    type: 'float32',
    missing: () => defaults.rmsEps,
  };
  return denseConfig(defaults).map((rule) => (typeof rule === 'object' && rule.gguf[0] === epsKey ? eps : rule));
}

const logitScale: ConfigRule = { hf: 'logit_scale', gguf: ['logit_scale'], type: 'float32', missing: () => 0.0625 };
const vocabulary: ConfigRule = { hf: 'vocab_size', gguf: ['vocab_size'], type: 'uint32' };
const noScaling: ConfigRule = { gguf: ['rope.scaling.type'], type: 'string', made: () => 'none' };

const fixed = [
  ...fixedForDense,
  { key: 'attention_bias', values: [false], why: 'GGUF has no attention biases for cohere2' },
  { key: 'use_qk_norm', values: [false], why: 'q and k are not normed' },
  { key: 'use_parallel_block', values: [true], why: 'attention and MLP read one norm' },
  { key: 'use_gated_activation', values: [true], why: 'the MLP has a gate' },
  { key: 'position_embedding_type', values: ['rope_gptj'], why: 'rope turns neighbours' },
  { key: 'rotary_pct', values: [1], why: 'rope covers the whole head' },
];

const attentionTensors = [
  inBlock('input_layernorm.weight', 'attn_norm.weight', ['embd']),
  inBlock('self_attn.q_proj.weight', 'attn_q.weight', ['q', 'embd']),
  inBlock('self_attn.k_proj.weight', 'attn_k.weight', ['k', 'embd']),
  inBlock('self_attn.v_proj.weight', 'attn_v.weight', ['v', 'embd']),
  inBlock('self_attn.o_proj.weight', 'attn_output.weight', ['embd', 'attnOut']),
];

const family = {
  fixed,
  ignored: [
    'layer_switch',
    'order_of_interleaved_layers',
    'sliding_window_pattern',
    'use_parallel_embedding',
    'use_embedding_sharing',
  ],
  rope: { types: ['default'] },
  slidingWindow: false,
  tied: true,
} as const satisfies Partial<Architecture>;

const valuePair: ScalingPair = { prev: 'attn_v', layers: ['attn_output'], inspect: 'layer', sameShape: true };
const upPair: ScalingPair = { prev: 'ffn_up', layers: ['ffn_down'], inspect: 'layer' };

/** Attention and what stands beside it read one norm. @param input matrices of the latter, and what else reads it */
const parallelPairs = (input: readonly string[], followers: readonly string[] = []): ScalingPair[] => [
  { prev: 'attn_norm', layers: ['attn_q', 'attn_k', 'attn_v', ...input], followers, inspect: 'sub-layer' },
];

function cohereNetwork(
  read: NetworkReader,
  feedForwards: (block: number) => readonly FeedForwardSpec[],
  isPlaced: (block: number) => boolean,
): Network {
  const eps = read.number('attention.layer_norm_epsilon', 0, 1);
  const norm = (name: string): NormSpec => ({ kind: 'layer', name, eps, biased: false });
  const windows = readWindows(read, readBlocks(read), period);
  const { window: _, ...attention } = readAttention(read, { style: 'norm' });
  const { rope: __, ...placeless } = attention;
  const mixer = (block: number): AttentionSpec => {
    if (windows[block] !== undefined) return { ...attention, window: windows[block] };
    return isPlaced(block) ? attention : placeless;
  };
  const block = (i: number): BlockSpec => ({
    subLayers: [{ before: norm('attn_norm'), parts: [mixer(i), ...feedForwards(i)].map((room) => ({ room })) }],
  });
  const network = decoder(read, block, norm('output_norm'));
  return { ...network, output: { ...network.output, scale: read.number('logit_scale', 0, 1e6) } };
}

export const cohere2: Architecture = {
  ...family,
  family: 'cohere2',
  name: 'cohere2',
  hf: ['Cohere2ForCausalLM'],
  modelType: 'cohere2',
  config: [
    ...cohereConfig({ contextLength: 8192, rmsEps: 1e-5, headDim: () => undefined }),
    logitScale,
    ...windowLayerKeys({
      period,
      interval: ({ sliding_window_pattern: every = period }: Json) => every,
      window: 4096,
      assumed: true,
    }),
    vocabulary,
    {
      gguf: ['rope.dimension_count'],
      type: 'uint32',
      made: (config) => Math.floor(config.hidden_size / config.num_attention_heads),
      back: () => ({ rotary_pct: 1 }),
    },
    noScaling,
  ],
  tensors: [...embeddingTensors, ...attentionTensors, ...mlpTensors],
  awq: [...parallelPairs(['ffn_gate', 'ffn_up']), valuePair, upPair],
  network: (read) => {
    const mlp = readGatedMlp(read);
    return cohereNetwork(
      read,
      () => [mlp],
      () => false,
    );
  },
};

const scoring = { softmax: 1, sigmoid: 2 } as const;
const kinds = ['sliding_attention', 'full_attention'] as const;

/** Which blocks have a window: two patterns, of the dense blocks and of the others. */
function windowed(config: Json): boolean[] {
  const { prefix_dense_sliding_window_pattern: first = 1, sliding_window_pattern: every = period } = config;
  const dense = denseBlocks(config) ?? 0;
  const missing = (block: number) =>
    block < dense ? everyNth(first, ...kinds)(block) : everyNth(every, ...kinds)(block - dense);
  return layerTypes(config, kinds, missing).map((kind) => kind === 'sliding_attention');
}

const selection = ({ expert_selection_fn: fn = 'softmax' }: Json): keyof typeof scoring => {
  if (fn === 'softmax' || fn === 'sigmoid') return fn;
  throw configError(`"expert_selection_fn" is ${show(fn)} (known: softmax, sigmoid)`);
};

const denseWidth: ConfigRule = {
  hf: 'prefix_dense_intermediate_size',
  gguf: ['feed_forward_length'],
  type: 'uint32',
  missing: (config) => config.intermediate_size,
};

const sharedOf = (config: Json): number =>
  isAbsent(config.num_shared_experts) ? 0 : count(config, 'num_shared_experts', { min: 0, max: maxExperts });

/** The usual keys, the width of the dense blocks under its own name. */
const mixtureConfig = (defaults: DenseDefaults): Architecture['config'] =>
  cohereConfig(defaults).map((rule) =>
    typeof rule === 'object' && rule.gguf[0] === 'feed_forward_length' ? denseWidth : rule,
  );

export const cohere2moe: Architecture = {
  ...family,
  family: 'cohere2moe',
  name: 'cohere2moe',
  hf: ['Cohere2MoeForCausalLM'],
  modelType: 'cohere2_moe',
  config: [
    ...mixtureConfig({
      contextLength: 8192,
      rmsEps: 1e-5,
      headDim: () => 128,
      experts: [
        ...expertCounts({ experts: 8, used: 2 }),
        {
          gguf: ['expert_gating_func'],
          type: 'uint32',
          made: (config) => scoring[selection(config)],
          back: (numbers) => ({
            expert_selection_fn: numbers.at('expert_gating_func') === scoring.softmax ? 'softmax' : 'sigmoid',
          }),
        },
      ],
    }),
    logitScale,
    {
      hf: 'sliding_window',
      gguf: ['attention.sliding_window'],
      type: 'uint32',
      missing: () => 4096,
    },
    {
      gguf: ['attention.sliding_window_pattern'],
      type: 'bool',
      made: windowed,
      back: (numbers) => ({
        layer_types: numbers.list('attention.sliding_window_pattern')!.map((has) => kinds[has === 1 ? 0 : 1]),
      }),
    },
    vocabulary,
    { hf: 'intermediate_size', gguf: ['expert_feed_forward_length'], type: 'uint32' },
    leadingDense(() => 0),
    {
      gguf: ['expert_weights_norm'],
      type: 'bool',
      // Softmax is over the chosen logits alone, so that it always sums to 1.
      made: (config) => selection(config) === 'softmax' || (config.norm_topk_prob ?? true),
      back: (numbers) => ({ norm_topk_prob: numbers.isTrue('expert_weights_norm') }),
    },
    {
      gguf: ['expert_shared_count'],
      type: 'uint32',
      made: (config) => sharedOf(config) || undefined,
      back: (numbers) => ({ num_shared_experts: numbers.at('expert_shared_count') ?? 0 }),
    },
    {
      gguf: ['expert_shared_feed_forward_length'],
      type: 'uint32',
      made: (config) => (sharedOf(config) > 0 ? sharedOf(config) * count(config, 'intermediate_size') : undefined),
    },
    { hf: 'head_dim', gguf: ['rope.dimension_count'], type: 'uint32', missing: () => 128 },
    noScaling,
  ],
  fixed: [
    ...fixed,
    { key: 'shared_expert_combination_strategy', values: ['average'], why: 'routed and shared experts are averaged' },
    { key: 'prefix_dense_sliding_window_pattern', values: [1], why: 'dense blocks see everything and know positions' },
  ],
  unsupported: ({ rms_norm_eps: eps }) =>
    isAbsent(eps) ? undefined : `"rms_norm_eps": ${show(eps)} (norms are layer norms)`,
  tensors: [
    ...embeddingTensors,
    ...attentionTensors,
    ...inDenseBlocks(mlpTensors),
    ...inSparseBlocks([...expertTensors('mlp', { gate: 'gate_proj', up: 'up_proj', down: 'down_proj' })]),
    ...inSparseBlocks(plainSharedExpertTensors, ({ numbers }) => numbers.has('expert_shared_count')),
  ],
  experts: true,
  awq: [
    ...parallelPairs(['ffn_gate', 'ffn_up']),
    ...parallelPairs(['ffn_gate_exps', 'ffn_up_exps', 'ffn_gate_shexp', 'ffn_up_shexp'], ['ffn_gate_inp']),
    valuePair,
    upPair,
    { prev: 'ffn_up_exps', layers: ['ffn_down_exps'], inspect: 'layer' },
    { prev: 'ffn_up_shexp', layers: ['ffn_down_shexp'], inspect: 'layer' },
  ],
  network: (read) => {
    const dense = read.optionalInteger('leading_dense_block_count', 0, 0, 1 << 16);
    const experts = readExperts(read, { over: 'all', score: 'sigmoid', block: dense });
    const [shared] = readSharedExpert(read, experts);
    const half = { ...experts, router: { ...experts.router, scale: 0.5 * (experts.router.scale ?? 1) } };
    const mixture = shared ? [half, { ...shared, scale: 0.5 }] : [experts];
    const mlp = readGatedMlp(read);
    return cohereNetwork(
      read,
      (block) => (block < dense ? [mlp] : mixture),
      (block) => block < dense,
    );
  },
  remarks: [
    'softmax routers with norm_topk_prob false: transformers sums to 1 all the same, so the key says normalized',
  ],
};
