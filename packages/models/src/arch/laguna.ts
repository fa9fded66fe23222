// Laguna (poolside): blocks with a window have more heads, and a rope of their own; what attention gives is gated by softplus,
// head by head or number by number; experts as DeepSeek V3 has them, with one that every token uses.
// GGUF: LagunaModel of llama.cpp's conversion/laguna.py.
import type { AttentionSpec } from '../forward/mixers/attention/spec.ts';
import type { NetworkReader } from '../network-reader.ts';
import type { Architecture, ConfigRule, Json } from './architecture.ts';
import { configError, count, isAbsent, perBlock, show } from './config-error.ts';
import { decoder, preNormBlock, readAttention, readBlocks, readEps, readGatedMlp, readWindowRope } from './decoder.ts';
import { sigmoidRouter } from './deepseek.ts';
import {
  attentionBlockTensors,
  denseConfig,
  embeddingTensors,
  fixedForDense,
  headNormTensors,
  inBlock,
  mlpTensors,
  qkvBiasTensors,
} from './dense.ts';
import { inDenseBlocks, inSparseBlocks, leadingDense } from './leading-dense.ts';
import { expertCounts, expertTensors, expertWidths, mixedFeedForwardPairs, sharedExpertAt } from './mixture.ts';
import { readExperts, readSharedExpert } from './read-experts.ts';
import { ropeOfKind, rotaryPart } from './rotary-part.ts';
import { readWindows, type WindowLayers, windowLayerKeys } from './window-layers.ts';

/** As llama.cpp knows them; without `layer_types` every layer sees everything. */
const windows: WindowLayers = { period: 4, full: 'first', interval: () => 1, window: 512, named: true };
const [usualHeads, usualHeadDim, windowTheta] = [48, 128, 10000];

const headDim = (config: Json): number =>
  isAbsent(config.head_dim) ? usualHeadDim : count(config, 'head_dim', { max: 1 << 16 });

/** Of each block. */
function headCounts(config: Json): number[] {
  const max = 1 << 16;
  const all = isAbsent(config.num_attention_heads) ? usualHeads : count(config, 'num_attention_heads', { max });
  const list =
    perBlock<number>(config, 'num_attention_heads_per_layer') ??
    Array<number>(count(config, 'num_hidden_layers')).fill(all);
  const kvHeads = isAbsent(config.num_key_value_heads) ? 8 : count(config, 'num_key_value_heads', { max });
  const bad = list.find((heads) => !Number.isInteger(heads) || heads < 1 || heads > max || heads % kvHeads !== 0);
  if (bad === undefined) return list;
  throw configError(`${show(bad)} attention heads cannot share ${kvHeads} "num_key_value_heads"`);
}

const heads: ConfigRule = {
  gguf: ['attention.head_count'],
  type: 'uint32',
  made: headCounts,
  back: (numbers) => {
    const list = numbers.list('attention.head_count')!;
    return { num_attention_heads: list[0], num_attention_heads_per_layer: list };
  },
};

const rotary: readonly ConfigRule[] = [
  {
    gguf: ['rope.dimension_count'],
    type: 'uint32',
    made: (config) => {
      const missing = isAbsent(config.rope_parameters) ? 0.5 : 1;
      return Math.floor(headDim(config) * (rotaryPart(config, ropeOfKind(config, 'full_attention') ?? {}) ?? missing));
    },
  },
  {
    gguf: ['rope.dimension_count_swa'],
    type: 'uint32',
    made: (config) => {
      const given = ropeOfKind(config, 'sliding_attention');
      if (!given && !isAbsent(config.rope_parameters)) return undefined;
      return Math.floor(headDim(config) * (rotaryPart(config, given ?? {}) ?? 1));
    },
  },
];

/** `true` has been the name of one for each head. */
function gatesNumbers({ gating }: Json): boolean {
  if (isAbsent(gating) || gating === true || gating === 'per-head') return false;
  if (gating === 'per-element') return true;
  throw configError(`"gating" is ${show(gating)} (known: "per-head", "per-element")`);
}

/** GGUF says it by the rows of the gate alone. */
const gating: ConfigRule = {
  gguf: [],
  type: 'bool',
  made: gatesNumbers,
  back: (numbers) => ({
    gating: numbers.rowsOf('blk.0.attn_gate.weight') === numbers.at('attention.head_count', 0) ? true : 'per-element',
  }),
};

function unsupported(config: Json): string | undefined {
  const types = perBlock<string>(config, 'gating_types');
  const type = gatesNumbers(config) ? 'per-element' : 'per-head';
  if (types?.some((other) => String(other).replace('_', '-') !== type))
    return `"gating_types": ${show(types)} beside "gating": ${show(config.gating)} (transformers reads "gating" alone)`;
  const kinds = new Set(perBlock<string>(config, 'layer_types') ?? ['full_attention']);
  const lacking = isAbsent(config.rope_parameters) ? undefined : [...kinds].find((kind) => !ropeOfKind(config, kind));
  return lacking && `"rope_parameters" without an entry for "${lacking}"`;
}

function attentionOf(read: NetworkReader, eps: number): (block: number) => AttentionSpec {
  const blocks = readBlocks(read);
  const found = readWindows(read, blocks, windows.period, windows.full);
  const counts = read.perLayer('attention.head_count', blocks, 1, 1 << 16);
  return (block) => {
    const { window: _, ...full } = readAttention(read, {
      style: 'neox',
      qkNorm: { eps, over: 'head', at: 'before-rope' },
      heads: counts[block]!,
      block,
    });
    const perHead = read.rowsOf(`blk.${block}.attn_gate.weight`) === full.heads;
    const attention: AttentionSpec = { ...full, gate: { act: 'softplus', in: perHead ? 'heads' : 'numbers' } };
    const window = found[block];
    return window === undefined
      ? attention
      : { ...attention, window, rope: readWindowRope(read, full.rope!, full.rope!.base) };
  };
}

const flag = { presence: { flag: 'attention_bias' } } as const;

export const laguna: Architecture = {
  family: 'laguna',
  name: 'laguna',
  hf: ['LagunaForCausalLM'],
  modelType: 'laguna',
  vocabSize: 100352,
  config: [
    ...denseConfig({
      contextLength: 131072,
      heads: usualHeads,
      kvHeads: 8,
      rmsEps: 1e-6,
      headDim,
      experts: expertCounts({ experts: 256, used: 8 }),
    }).map((rule) => (typeof rule === 'object' && rule.gguf[0] === 'attention.head_count' ? heads : rule)),
    { hf: 'vocab_size', gguf: ['vocab_size'], type: 'uint32', missing: () => 100352 },
    ...windowLayerKeys(windows),
    ...expertWidths({ each: 512, shared: 512 }),
    { gguf: ['expert_weights_norm'], type: 'bool', made: () => true },
    { hf: 'moe_routed_scaling_factor', gguf: ['expert_weights_scale'], type: 'float32', missing: () => 1 },
    sigmoidRouter,
    leadingDense(() => 1),
    ...rotary,
    gating,
  ],
  fixed: [
    ...fixedForDense,
    { key: 'moe_router_logit_softcapping', values: [0], why: 'GGUF has no cap of router logits' },
    { key: 'moe_apply_router_weight_on_input', values: [false], why: 'the router weighs what the experts give' },
    { key: 'scoring_func', values: ['sigmoid'], why: 'the class weighs experts by sigmoid' },
  ],
  ignored: ['gating_types'],
  unsupported,
  rows: (config) => {
    const each = gatesNumbers(config) ? headDim(config) : 1;
    return new Map(headCounts(config).map((number, block) => [`blk.${block}.attn_gate.weight`, number * each]));
  },
  rope: {
    types: ['default', 'linear', 'yarn'],
    theta: 500000,
    partial: 1,
    window: { theta: windowTheta, byKind: true },
    missing: {
      full_attention: { rope_type: 'default', rope_theta: 500000, partial_rotary_factor: 0.5 },
      sliding_attention: { rope_type: 'default', rope_theta: windowTheta, partial_rotary_factor: 1 },
    },
  },
  slidingWindow: false,
  tensors: [
    ...embeddingTensors,
    ...attentionBlockTensors({ permute: false }),
    ...headNormTensors,
    ...qkvBiasTensors({ permute: false, ...flag }),
    inBlock('self_attn.o_proj.bias', 'attn_output.bias', ['embd'], flag),
    inBlock('self_attn.g_proj.weight', 'attn_gate.weight', ['gates', 'embd']),
    ...inDenseBlocks(mlpTensors),
    ...inSparseBlocks([
      ...expertTensors('mlp', { gate: 'gate_proj', up: 'up_proj', down: 'down_proj' }),
      {
        ...inBlock('mlp.experts.e_score_correction_bias', 'exp_probs_b.bias', ['experts'], { f32: true }),
        also: [{ name: 'model.layers.{i}.mlp.gate.e_score_correction_bias' }],
      },
      ...sharedExpertAt('mlp.shared_expert').map((rule, index) => ({
        ...rule,
        also: [sharedExpertAt('mlp.shared_experts')[index]!.stored!],
      })),
    ]),
  ],
  sizes: (numbers, block, { heads: number }) => ({
    gates: numbers.rowsOf(`blk.${block}.attn_gate.weight`) ?? number!,
  }),
  experts: true,
  network: (read) => {
    const eps = readEps(read);
    const [attention, mlp] = [attentionOf(read, eps), readGatedMlp(read)];
    const dense = read.optionalInteger('leading_dense_block_count', 0, 0, 1 << 16);
    const experts = readExperts(read, { over: 'chosen', score: 'sigmoid', block: dense });
    const shared = readSharedExpert(read, experts);
    return decoder(read, (i) =>
      i < dense ? preNormBlock(eps, attention(i), mlp) : preNormBlock(eps, attention(i), experts, ...shared),
    );
  },
  // A gate for each head is too narrow to be packed.
  awq: [
    { prev: 'attn_norm', layers: ['attn_q', 'attn_k', 'attn_v'], followers: ['attn_gate'], inspect: 'sub-layer' },
    { prev: 'attn_v', layers: ['attn_output'], inspect: 'layer', sameShape: true },
    ...mixedFeedForwardPairs,
  ],
  remarks: [
    'layer_types other than one full layer before every three windows: written as laguna.attention.sliding_window_pattern, which llama.cpp reads and its converter forgets',
  ],
};
