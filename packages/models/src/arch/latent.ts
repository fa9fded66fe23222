// What the architectures with latent attention share: keys, tensors and the network of GGUF's `deepseek2`.
// GGUF: DeepseekV2Model of llama.cpp's conversion/deepseek.py. kv_b is cut into its key and its value part, the key part of
// every head transposed.
import { transposed } from '../change/transposed.ts';
import type { LatentAttentionSpec } from '../forward/mixers/latent-attention/spec.ts';
import type { RopeSpec } from '../forward/rope.ts';
import type { NetworkReader } from '../network-reader.ts';
import type { Architecture, ConfigRule, FixedConfig, Json, RopeRule, TensorRule } from './architecture.ts';
import { configError, isAbsent, show } from './config-error.ts';
import { readRope } from './decoder.ts';
import { inBlock } from './dense.ts';

export interface LatentDefaults {
  queryRank: number | null;
  rank: number;
  plain: number;
  rotary: number;
  value: number;
}

const length = (config: Json, key: string, missing: number): number => Number(config[key] ?? missing);

function refuseOther(config: Json, key: string, needed: number): void {
  if (!isAbsent(config[key]) && config[key] !== needed)
    throw configError(`"${key}" is ${show(config[key])}, and the other keys make it ${needed}`);
}

/** Keys of the attention: `queryKey` and its like stand in the middle of the others. */
export function latentConfig(missing: LatentDefaults) {
  const rank = (config: Json) => length(config, 'kv_lora_rank', missing.rank);
  const plain = (config: Json) => length(config, 'qk_nope_head_dim', missing.plain);
  const rotary = (config: Json) => length(config, 'qk_rope_head_dim', missing.rotary);
  const made = (key: string, of: (config: Json) => number | undefined): ConfigRule => ({
    gguf: [key],
    type: 'uint32',
    made: of,
  });
  const hasHeadDim = (config: Json) => !isAbsent(config.head_dim);
  return {
    /** All heads share one key; config.json counts the keys that are made of it. */
    kvHeads: {
      gguf: ['attention.head_count_kv'],
      type: 'uint32',
      made: (config) => {
        refuseOther(config, 'num_key_value_heads', config.num_attention_heads);
        refuseOther(config, 'qk_head_dim', plain(config) + rotary(config));
        return 1;
      },
      back: (numbers) => ({ num_key_value_heads: numbers.at('attention.head_count') }),
    } satisfies ConfigRule as ConfigRule,
    /** The converter writes them here when it sees `head_dim`, which is transformers' name for something else. */
    early: [
      made('attention.key_length', (config) => (hasHeadDim(config) ? rank(config) + rotary(config) : undefined)),
      made('attention.value_length', (config) => (hasHeadDim(config) ? rank(config) : undefined)),
    ],
    ranks: [
      {
        hf: 'q_lora_rank',
        gguf: ['attention.q_lora_rank'],
        type: 'uint32',
        missing: (config) => (config.q_lora_rank === null ? undefined : (missing.queryRank ?? undefined)),
      },
      { hf: 'kv_lora_rank', gguf: ['attention.kv_lora_rank'], type: 'uint32', missing: () => missing.rank },
      made('attention.key_length', (config) => rank(config) + rotary(config)),
      made('attention.value_length', rank),
      {
        gguf: ['attention.key_length_mla'],
        type: 'uint32',
        made: (config) => plain(config) + rotary(config),
        back: (numbers) => ({
          qk_nope_head_dim: numbers.at('attention.key_length_mla')! - numbers.at('rope.dimension_count')!,
          // Null means none, where an absent key means the rank of the published model.
          ...(!numbers.has('attention.q_lora_rank') && { q_lora_rank: null }),
        }),
      },
      { hf: 'v_head_dim', gguf: ['attention.value_length_mla'], type: 'uint32', missing: () => missing.value },
    ] satisfies ConfigRule[] as ConfigRule[],
    rotary: {
      hf: 'qk_rope_head_dim',
      gguf: ['rope.dimension_count'],
      type: 'uint32',
      missing: () => missing.rotary,
    } satisfies ConfigRule as ConfigRule,
  };
}

const ropeSettings = (config: Json): Json => config.rope_parameters ?? config.rope_scaling ?? {};

/** transformers' `yarn_get_mscale`. */
const temperature = (factor: number, scale: number): number => (factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1);

/** A tenth of `mscale_all_dim`, as the converter has always written it. */
export const yarnScale: readonly ConfigRule[] = [
  {
    gguf: ['rope.scaling.yarn_log_multiplier'],
    type: 'float32',
    made: (config) => {
      const { mscale_all_dim: scale } = ropeSettings(config);
      return typeof scale === 'number' && scale > 0 ? 0.1 * scale : undefined;
    },
  },
  {
    // llama.cpp takes 1 for granted, which is what `mscale` = `mscale_all_dim` gives.
    gguf: ['rope.scaling.yarn_attn_factor'],
    type: 'float32',
    made: (config) => {
      const {
        mscale,
        mscale_all_dim: scale,
        factor,
        attention_factor: given,
        attn_factor: alias,
      } = ropeSettings(config);
      if (!scale || mscale === scale || !isAbsent(given ?? alias)) return undefined;
      return mscale ? temperature(factor, mscale) / temperature(factor, scale) : temperature(factor, 1);
    },
  },
];

export const latentRope: RopeRule = {
  types: ['default', 'yarn'],
  more: (numbers) => {
    const scale = numbers.at('rope.scaling.yarn_log_multiplier');
    const rounded = scale && Math.round(scale * 1e7) / 1e6;
    return rounded ? { mscale: rounded, mscale_all_dim: rounded } : {};
  },
};

export const fixedForLatent: readonly FixedConfig[] = [
  { key: 'hidden_act', values: ['silu', 'swish'], why: 'the gated MLP is computed with SiLU' },
  { key: 'attention_bias', values: [false], why: 'GGUF has no attention biases for deepseek2' },
  { key: 'rope_interleave', values: [true], why: 'rope turns neighbours' },
  { key: 'moe_layer_freq', values: [1], why: 'every block behind the dense ones has experts' },
  { key: 'is_causal', values: [true], why: 'attention is causal' },
];

/** Keys that follow from others. */
export const ignoredForLatent: readonly string[] = ['head_dim', 'qk_head_dim', 'num_key_value_heads', 'ep_size'];

const part = (index: number) => ({ part: { index, of: ['plain', 'valueHead'], flat: true as const } });

/** `at`: of the attention in a block. */
export const latentTensors = (at = 'self_attn'): TensorRule[] => {
  const ranked: TensorRule['blocks'] = ({ numbers }) => numbers.has('attention.q_lora_rank');
  const direct: TensorRule['blocks'] = (place) => !ranked(place);
  return [
    inBlock(`${at}.q_proj.weight`, 'attn_q.weight', ['q', 'embd'], { blocks: direct }),
    inBlock(`${at}.q_a_proj.weight`, 'attn_q_a.weight', ['queryRank', 'embd'], { blocks: ranked }),
    inBlock(`${at}.q_a_layernorm.weight`, 'attn_q_a_norm.weight', ['queryRank'], { blocks: ranked }),
    inBlock(`${at}.q_b_proj.weight`, 'attn_q_b.weight', ['q', 'queryRank'], { blocks: ranked }),
    inBlock(`${at}.kv_a_proj_with_mqa.weight`, 'attn_kv_a_mqa.weight', ['latentAndRotary', 'embd']),
    inBlock(`${at}.kv_a_layernorm.weight`, 'attn_kv_a_norm.weight', ['latent']),
    inBlock(`${at}.kv_b_proj.weight`, 'attn_k_b.weight', ['heads', 'latent', 'plain'], {
      ...part(0),
      changes: [transposed],
    }),
    inBlock(`${at}.kv_b_proj.weight`, 'attn_v_b.weight', ['heads', 'valueHead', 'latent'], part(1)),
  ];
};

export const latentSizes: NonNullable<Architecture['sizes']> = (numbers, block, { heads }) => {
  const at = (key: string) => numbers.at(key, block) ?? 0;
  const [key, value] = [at('attention.key_length_mla'), at('attention.value_length_mla')];
  const [latent, rotary] = [at('attention.kv_lora_rank'), at('rope.dimension_count')];
  return {
    q: heads! * key,
    attnOut: heads! * value,
    plain: key - rotary,
    valueHead: value,
    latent,
    latentAndRotary: latent + rotary,
    queryRank: at('attention.q_lora_rank'),
  };
};

/** transformers' norms of what is between two matrices have their class's default, whatever config.json says of others. */
const innerEps = 1e-6;

export function readLatentAttention(read: NetworkReader): LatentAttentionSpec {
  const heads = read.uniformInteger('attention.head_count', 1, 1 << 16);
  const keyLength = read.integer('attention.key_length_mla', 2, 1 << 16);
  const rotaryLength = read.integer('rope.dimension_count', 2, keyLength - 1);
  const scale = 10 * read.optionalNumber('rope.scaling.yarn_log_multiplier', 0, 0, 1e6);
  const rope = latentRopeOf(readRope(read, 'norm', keyLength), scale);
  const warmth = rope.scaling.type === 'yarn' && scale > 0 ? temperature(rope.scaling.factor, scale) : 1;
  return {
    kind: 'latent-attention',
    heads,
    ...(read.has('attention.q_lora_rank') && { queryRank: read.integer('attention.q_lora_rank', 1, 1 << 20) }),
    rank: read.integer('attention.kv_lora_rank', 1, 1 << 16),
    plainLength: keyLength - rotaryLength,
    rotaryLength,
    valueLength: read.integer('attention.value_length_mla', 1, 1 << 16),
    scale: warmth ** 2 / Math.sqrt(keyLength),
    eps: innerEps,
    rope,
  };
}

/** The temperature is in the scale of the scores, cos and sin have none unless the file says so. */
function latentRopeOf(rope: RopeSpec, scale: number): RopeSpec {
  if (scale === 0) return rope;
  const { yarnAttnFactor = 1 } = rope.scaling;
  return { ...rope, scaling: { ...rope.scaling, yarnLogMultiplier: 0, yarnAttnFactor } };
}
