// Hunyuan (dense 0.5B–7B; A13B with experts): Llama's block with an RMS norm of every head of q and k after rope.
// GGUF: HunYuanModel and HunYuanMoEModel of llama.cpp's conversion/hunyuan.py.
import type { Architecture, ConfigRule, Json } from './architecture.ts';
import { configError, isAbsent, perBlock, show } from './config-error.ts';
import { decoder, preNormBlock, readAttention, readEps, readGatedMlp } from './decoder.ts';
import {
  attentionBlockTensors,
  attentionPairs,
  type DenseDefaults,
  denseConfig,
  densePairs,
  embeddingTensors,
  fixedForDense,
  inBlock,
  mlpTensors,
} from './dense.ts';
import { expertStacks, maxExperts, mixedFeedForwardPairs, sharedExpertAt } from './mixture.ts';
import { evenShare, readExperts, readSharedExpert } from './read-experts.ts';

const fixed = [
  ...fixedForDense,
  { key: 'attention_bias', values: [false], why: 'GGUF has no attention biases for Hunyuan' },
  { key: 'use_qk_norm', values: [true], why: 'q and k are normed' },
  { key: 'use_cla', values: [false], why: 'blocks do not share keys and values' },
];
/** Keys of the first release that repeat others. */
const ignored = [
  // Of a stretched rope transformers reads no more than alpha.
  ...['factor', 'beta_fast', 'beta_slow', 'mscale', 'mscale_all_dim'].flatMap((key) => [
    `rope_scaling.${key}`,
    `rope_parameters.${key}`,
  ]),
  'num_media_embeds',
  'cla_share_factor',
  'attention_head_dim',
  'use_mixed_mlp_moe',
  'norm_type',
  'org_vocab_size',
  'dense_list',
  'moe_layer_num_skipped',
];

const attentionTensors = [
  ...attentionBlockTensors({ permute: false }),
  inBlock('self_attn.query_layernorm.weight', 'attn_q_norm.weight', ['headDim']),
  inBlock('self_attn.key_layernorm.weight', 'attn_k_norm.weight', ['headDim']),
];

/** As llama.cpp's converter calls them; Hunyuan's list for tiktoken, and the tokenizer.json of the dense models. */
const preTokenizers = { qwen2: 'hunyuan', 'deepseek-v3': 'hunyuan-dense' };

const config = { contextLength: 2048, rmsEps: 1e-5, headDim: () => undefined };

const isStretched = ({ rope_parameters: now, rope_scaling: before }: Json): boolean =>
  [now, before].some((rope) => (rope?.rope_type ?? rope?.type) === 'dynamic');

/** Published configs say 32K where the stretched rope is for 256K; the converter takes no other numbers. */
const published = 2 ** 15;
const stretchedContext = 2 ** 18;
const contextOf = (json: Json): number => {
  const { max_position_embeddings: context = config.contextLength } = json;
  return isStretched(json) && context === published ? stretchedContext : context;
};

/** What the converter writes of a rope that it has stretched itself. */
const stretchedKeys: readonly ConfigRule[] = [
  { gguf: ['rope.scaling.type'], type: 'string', made: (json) => (isStretched(json) ? 'none' : undefined) },
  { gguf: ['rope.scaling.factor'], type: 'float32', made: (json) => (isStretched(json) ? 1 : undefined) },
  {
    gguf: ['rope.scaling.original_context_length'],
    type: 'uint32',
    made: (json) => (isStretched(json) ? contextOf(json) : undefined),
  },
];

const context: ConfigRule = {
  gguf: ['context_length'],
  type: 'uint32',
  made: contextOf,
  back: (numbers) => ({ max_position_embeddings: numbers.at('context_length')! }),
};

const hunyuanConfig = (defaults: DenseDefaults): Architecture['config'] =>
  denseConfig(defaults).map((rule) => (typeof rule === 'object' && rule.gguf[0] === 'context_length' ? context : rule));

const rope = { types: ['default', 'dynamic'] } as const;
const remarks = [
  'rope type dynamic with an alpha: the base is stretched once, in GGUF as in what comes back; without alpha it is refused',
];

export const hunyuanDense: Architecture = {
  family: 'hunyuan-dense',
  name: 'hunyuan-dense',
  hf: ['HunYuanDenseV1ForCausalLM'],
  modelType: 'hunyuan_v1_dense',
  tokensOfConfig: { eos: 'eod_token_id' },
  preTokenizers,
  config: [...hunyuanConfig(config), ...stretchedKeys],
  fixed,
  ignored,
  rope,
  remarks,
  slidingWindow: false,
  tensors: [...embeddingTensors, ...attentionTensors, ...mlpTensors],
  network: (read) => {
    const eps = readEps(read);
    const attention = readAttention(read, { style: 'neox', qkNorm: { eps, over: 'head', at: 'after-rope' } });
    const mlp = readGatedMlp(read);
    return decoder(read, () => preNormBlock(eps, attention, mlp));
  },
  awq: densePairs,
};

/** A number, or a list with the same for each block. */
function uniform(json: Json, key: string, missing: (json: Json) => number): number {
  const value: unknown = json[key];
  if (isAbsent(value)) return missing(json);
  const list = Array.isArray(value) ? perBlock<number>(json, key)! : [value as number];
  if (list.every((one) => Number.isInteger(one) && one === list[0])) return list[0]!;
  throw configError(`"${key}" is ${show(value)}, one number for all layers is needed`);
}

const uniformKey = (hf: string, gguf: string, missing: (json: Json) => number): ConfigRule => ({
  gguf: [gguf],
  type: 'uint32',
  made: (json) => uniform(json, hf, missing),
  back: (numbers) => ({ [hf]: Array<number>(numbers.blocks).fill(numbers.at(gguf)!) }),
});

export const hunyuanMoe: Architecture = {
  family: 'hunyuan-moe',
  name: 'hunyuan-moe',
  hf: ['HunYuanMoEV1ForCausalLM'],
  modelType: 'hunyuan_v1_moe',
  preTokenizers,
  config: [
    ...hunyuanConfig({
      ...config,
      experts: [
        {
          hf: ['num_experts', 'num_local_experts'],
          gguf: ['expert_count'],
          type: 'uint32',
          max: maxExperts,
          missing: () => 1,
        },
      ],
    }),
    // transformers gives the shared expert and the others one width.
    { hf: 'intermediate_size', gguf: ['expert_shared_feed_forward_length'], type: 'uint32' },
    uniformKey('moe_intermediate_size', 'expert_feed_forward_length', (json) => json.intermediate_size),
    uniformKey('moe_topk', 'expert_used_count', (json) => json.num_experts_per_tok ?? 1),
    uniformKey('num_shared_expert', 'expert_shared_count', () => 1),
    ...stretchedKeys,
  ],
  fixed,
  ignored,
  unsupported: (json) => {
    const width = uniform(json, 'moe_intermediate_size', ({ intermediate_size: one }) => one);
    if (uniform(json, 'num_shared_expert', () => 1) !== 1)
      return `"num_shared_expert": ${show(json.num_shared_expert)} (there is one)`;
    if (width === json.intermediate_size) return undefined;
    return `"moe_intermediate_size": ${width} (transformers gives experts the "intermediate_size" ${json.intermediate_size})`;
  },
  rope,
  remarks,
  slidingWindow: false,
  tensors: [
    ...embeddingTensors,
    ...attentionTensors,
    inBlock('mlp.gate.wg.weight', 'ffn_gate_inp.weight', ['experts', 'embd']),
    ...expertStacks('mlp', { gate: 'gate_proj', up: 'up_proj', down: 'down_proj' }),
    ...sharedExpertAt('mlp.shared_mlp'),
  ],
  experts: true,
  network: (read) => {
    const eps = readEps(read);
    const attention = readAttention(read, { style: 'neox', qkNorm: { eps, over: 'head', at: 'after-rope' } });
    const experts = readExperts(read, { over: 'chosen', width: evenShare });
    return decoder(read, () => preNormBlock(eps, attention, experts, ...readSharedExpert(read, experts)));
  },
  awq: [...attentionPairs, ...mixedFeedForwardPairs],
};
