// `query_pre_attn_scalar` of Gemma 2 and 3: attention scores are divided by its root. llama.cpp has no key for it; it takes
// the head size, and at the depth of the 27B model the width divided by the heads. Another number is written down as
// `attention.scale`, which llama.cpp ignores for these models.
import type { NetworkReader } from '../network-reader.ts';
import { count, isAbsent } from './config-error.ts';
import type { ConfigRule, Json } from './config-rule.ts';

interface Sizes {
  readonly blocks: number;
  readonly width: number;
  readonly heads: number;
  readonly headDim: number;
}

const usual = ({ blocks, width, heads, headDim }: Sizes, deepest: number): number =>
  blocks === deepest ? Math.floor(width / heads) : headDim;

const sizesIn = (config: Json, heads: number): Sizes => ({
  blocks: config.num_hidden_layers,
  width: config.hidden_size,
  heads: config.num_attention_heads ?? heads,
  headDim: config.head_dim ?? 256,
});

/**
 * @param deepest number of blocks of the 27B model
 * @param heads `num_attention_heads` when config.json has none
 */
export const queryScale = (deepest: number, heads = 8): ConfigRule => ({
  gguf: ['attention.scale'],
  type: 'float32',
  made: (config) => {
    const scalar = isAbsent(config.query_pre_attn_scalar) ? 256 : count(config, 'query_pre_attn_scalar');
    return scalar === usual(sizesIn(config, heads), deepest) ? undefined : 1 / Math.sqrt(scalar);
  },
  back: (numbers) => {
    const scale = numbers.at('attention.scale');
    const sizes = {
      blocks: numbers.blocks,
      width: numbers.at('embedding_length')!,
      heads: numbers.at('attention.head_count')!,
      headDim: numbers.at('attention.key_length')!,
    };
    return { query_pre_attn_scalar: scale === undefined ? usual(sizes, deepest) : Math.round(1 / scale ** 2) };
  },
});

export function readQueryScale(read: NetworkReader, deepest: number): number {
  const sizes = {
    blocks: read.integer('block_count', 1, 1 << 16),
    width: read.integer('embedding_length', 1, 1 << 20),
    heads: read.uniformInteger('attention.head_count', 1, 1 << 16),
    headDim: read.integer('attention.key_length', 1, 1 << 16),
  };
  return read.optionalNumber('attention.scale', 1 / Math.sqrt(usual(sizes, deepest)), 1e-6, 1e6);
}
