// config.json of DeepSeek V4: which layers see what, rope of two bases, streams, index. Published keys and those of
// transformers 5.
import type { Architecture, ConfigRule, Json } from './architecture.ts';
import { configError, count, isAbsent, isObject, perBlock, show } from './config-error.ts';
import { maxExperts } from './mixture.ts';
import { maxBlocks } from './model-numbers.ts';

const uint32 = { type: 'uint32' } as const;
const float32 = { type: 'float32' } as const;

/** How many tokens become one entry, by the kind of layer. */
export const ratios = {
  sliding_attention: 0,
  compressed_sparse_attention: 4,
  heavily_compressed_attention: 128,
} as const;
type Kind = keyof typeof ratios;
const kinds = Object.keys(ratios) as Kind[];

/** Published lists have an entry for every draft block too. */
function compressRatios(config: Json): number[] {
  const blocks = count(config, 'num_hidden_layers', { max: maxBlocks });
  const { compress_ratios: given, num_nextn_predict_layers: said } = config;
  const drafts = isAbsent(said) ? 1 : count(config, 'num_nextn_predict_layers', { min: 0, max: maxBlocks });
  const kindsGiven = perBlock<Kind>(config, 'layer_types');
  if (isAbsent(given)) {
    const made = kindsGiven ?? Array.from({ length: blocks }, (_, i) => kinds[i < 2 || i % 2 === 1 ? 2 : 1]!);
    const other = made.find((kind) => ratios[kind] === undefined);
    if (other !== undefined) throw configError(`"layer_types" has ${show(other)} (known: ${kinds.join(', ')})`);
    return [...made.map((kind) => ratios[kind]), ...Array<number>(drafts).fill(0)];
  }
  const known: readonly unknown[] = Object.values(ratios);
  const fits = (length: number) => length === blocks + drafts || (isAbsent(said) && length === blocks);
  if (!Array.isArray(given) || !fits(given.length) || !given.every((ratio) => known.includes(ratio)))
    throw configError(
      `"compress_ratios" is ${show(given)}, 0, 4 or 128 for each of ${blocks} layers and ${drafts} draft blocks is needed`,
    );
  if (kindsGiven?.some((kind, i) => ratios[kind] !== given[i]))
    throw configError('"layer_types" and "compress_ratios" say different things');
  return given;
}

/** Layers whose experts a table chooses. */
function hashLayers(config: Json): number {
  const kindsGiven = perBlock<string>(config, 'mlp_layer_types');
  const listed = kindsGiven?.findIndex((kind) => kind !== 'hash_moe');
  const first = listed === undefined ? undefined : listed < 0 ? kindsGiven!.length : listed;
  if (kindsGiven?.slice(first).some((kind) => kind !== 'moe'))
    throw configError(`"mlp_layer_types" is ${show(kindsGiven)}: "hash_moe" comes first, the others are "moe"`);
  if (isAbsent(config.num_hash_layers)) return first ?? Math.min(3, Number(config.num_hidden_layers));
  const said = count(config, 'num_hash_layers', { min: 0, max: Number(config.num_hidden_layers) });
  if (first === undefined || first === said) return said;
  throw configError(`"num_hash_layers" is ${said}, and "mlp_layer_types" begins with ${first} of them`);
}

/** Of the layers with compressed entries; the others have a base alone. */
export function scaling(config: Json): Json {
  for (const key of ['rope_parameters', 'rope_scaling'])
    if (!isAbsent(config[key]) && !isObject(config[key]))
      throw configError(`"${key}" is ${show(config[key])}, an object is needed`);
  return config.rope_parameters?.compress ?? config.rope_parameters ?? config.rope_scaling ?? {};
}
const isYarn = (config: Json): boolean => (scaling(config).rope_type ?? scaling(config).type) === 'yarn';

/** @param usual where config.json says nothing; none: the key is left out */
const yarnNumber = (hf: string, gguf: string, type: 'uint32' | 'float32', usual?: number): ConfigRule => ({
  gguf: [`rope.scaling.${gguf}`],
  type,
  made: (config) => {
    if (!isYarn(config)) return undefined;
    const value: unknown = scaling(config)[hf] ?? usual;
    if (value === undefined || (typeof value === 'number' && value > 0)) return value as number | undefined;
    throw configError(`rope parameter "${hf}" is ${show(value)}, a positive number is needed`);
  },
});

/** A base of rope, which transformers 5 has among the parameters of its kind of layers and beside them. */
function theta(config: Json, kind: 'main' | 'compress', beside: string, usual: number): number {
  const [inside, said] = [config.rope_parameters?.[kind]?.rope_theta, config[beside]];
  for (const value of [inside, said])
    if (!isAbsent(value) && !(typeof value === 'number' && value > 0))
      throw configError(`"${value === said ? beside : 'rope_theta'}" is ${show(value)}, a positive number is needed`);
  if (!isAbsent(inside) && !isAbsent(said) && inside !== said)
    throw configError(`"${beside}" is ${said}, and the rope parameters "${kind}" say ${inside}`);
  return inside ?? said ?? usual;
}

const ropeRules: readonly ConfigRule[] = [
  {
    gguf: ['rope.scaling.type'],
    type: 'string',
    made: (config) => (isYarn(config) ? 'yarn' : undefined),
    back: (numbers) => ({
      rope_scaling: numbers.has('rope.scaling.type')
        ? {
            type: 'yarn',
            factor: numbers.at('rope.scaling.factor'),
            original_max_position_embeddings: numbers.at('rope.scaling.original_context_length'),
            beta_fast: numbers.at('rope.scaling.yarn_beta_fast') ?? 32,
            beta_slow: numbers.at('rope.scaling.yarn_beta_slow') ?? 1,
          }
        : null,
    }),
  },
  yarnNumber('factor', 'factor', 'float32', 16),
  yarnNumber('original_max_position_embeddings', 'original_context_length', 'uint32', 65536),
  yarnNumber('beta_fast', 'yarn_beta_fast', 'float32'),
  yarnNumber('beta_slow', 'yarn_beta_slow', 'float32'),
  {
    ...float32,
    gguf: ['rope.freq_base'],
    made: (config) => theta(config, 'main', 'rope_theta', 10000),
    back: (numbers) => ({ rope_theta: numbers.at('rope.freq_base') }),
  },
];

const rotaryDims = (config: Json): number =>
  config.qk_rope_head_dim ?? Math.floor((config.head_dim ?? 512) * (config.partial_rotary_factor ?? 1 / 8));

const swigluLimit = (gguf: string, back: boolean): ConfigRule => ({
  ...float32,
  gguf: [gguf],
  made: ({ swiglu_limit: limit = 10, num_hidden_layers: blocks }) => {
    if (typeof limit === 'number' && limit > 0) return Array<number>(blocks).fill(limit);
    throw configError(`"swiglu_limit" is ${show(limit)}, a positive number is needed`);
  },
  ...(back && { back: (numbers) => ({ swiglu_limit: numbers.at(gguf) }) }),
});

const key = (hf: string, gguf: string, usual: number): ConfigRule => ({
  ...uint32,
  hf,
  gguf: [gguf],
  missing: () => usual,
});

export const deepseek4Config: Architecture['config'] = [
  { ...uint32, hf: 'num_hidden_layers', gguf: ['block_count'], max: maxBlocks },
  key('max_position_embeddings', 'context_length', 1048576),
  { ...uint32, hf: 'hidden_size', gguf: ['embedding_length'] },
  { ...uint32, hf: 'num_attention_heads', gguf: ['attention.head_count'] },
  { ...uint32, gguf: ['attention.head_count_kv'], made: () => 1, back: () => ({ num_key_value_heads: 1 }) },
  ...ropeRules,
  { ...float32, hf: 'rms_norm_eps', gguf: ['attention.layer_norm_rms_epsilon'], missing: () => 1e-6 },
  {
    ...uint32,
    hf: ['n_routed_experts', 'num_local_experts'],
    gguf: ['expert_count'],
    max: maxExperts,
    missing: () => 256,
  },
  { ...key('num_experts_per_tok', 'expert_used_count', 6), max: maxExperts },
  {
    ...uint32,
    hf: 'scoring_func',
    gguf: ['expert_gating_func'],
    words: { softmax: 1, sigmoid: 2, sqrtsoftplus: 4 },
    missing: () => 'sqrtsoftplus',
  },
  { ...uint32, hf: 'head_dim', gguf: ['attention.key_length', 'attention.value_length'], missing: () => 512 },
  'fileType',
  {
    ...uint32,
    gguf: ['rope.dimension_count'],
    made: rotaryDims,
    back: (numbers) => ({ qk_rope_head_dim: numbers.at('rope.dimension_count') }),
  },
  key('q_lora_rank', 'attention.q_lora_rank', 1024),
  key('sliding_window', 'attention.sliding_window', 128),
  key('moe_intermediate_size', 'expert_feed_forward_length', 2048),
  key('n_shared_experts', 'expert_shared_count', 1),
  { ...float32, hf: 'routed_scaling_factor', gguf: ['expert_weights_scale'], missing: () => 1.5 },
  { hf: 'norm_topk_prob', gguf: ['expert_weights_norm'], type: 'bool', missing: () => true },
  swigluLimit('swiglu_clamp_exp', true),
  swigluLimit('swiglu_clamp_shexp', false),
  key('index_n_heads', 'attention.indexer.head_count', 64),
  key('index_head_dim', 'attention.indexer.key_length', 128),
  key('index_topk', 'attention.indexer.top_k', 512),
  key('o_groups', 'attention.output_group_count', 8),
  key('o_lora_rank', 'attention.output_lora_rank', 1024),
  {
    type: 'int32',
    gguf: ['attention.compress_ratios'],
    made: compressRatios,
    back: (numbers) => {
      const given = numbers.list('attention.compress_ratios')!;
      return { compress_ratios: given, num_nextn_predict_layers: given.length - numbers.blocks };
    },
  },
  {
    ...float32,
    gguf: ['attention.compress_rope_freq_base'],
    made: (json) => theta(json, 'compress', 'compress_rope_theta', 160000),
    back: (numbers) => ({ compress_rope_theta: numbers.at('attention.compress_rope_freq_base') }),
  },
  key('hc_mult', 'hyper_connection.count', 4),
  key('hc_sinkhorn_iters', 'hyper_connection.sinkhorn_iterations', 20),
  { ...float32, hf: 'hc_eps', gguf: ['hyper_connection.epsilon'], missing: () => 1e-6 },
  {
    ...uint32,
    gguf: ['hash_layer_count'],
    made: hashLayers,
    back: (numbers) => ({ num_hash_layers: numbers.at('hash_layer_count') }),
  },
  {
    ...uint32,
    gguf: ['embedding_length_out'],
    made: ({ hidden_size: width, hc_mult: streams = 4 }) => width * streams,
  },
];
