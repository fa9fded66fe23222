// Mixtures whose first blocks have a dense MLP: how many, in both dialects, and which tensors stand where.

import { configError, count, isAbsent, perBlock, show } from './config-error.ts';
import type { ConfigRule, Json } from './config-rule.ts';
import { maxBlocks } from './model-numbers.ts';
import type { TensorRule } from './tensor-rule.ts';

/**
 * The key of how many blocks are dense. `first_k_dense_replace` says it, or a list `mlp_layer_types`.
 * @param missing when config.json says neither
 */
export const leadingDense = (missing: (config: Json) => number): ConfigRule => ({
  gguf: ['leading_dense_block_count'],
  type: 'uint32',
  made: (config) => denseBlocks(config) ?? missing(config),
  back: (numbers) => {
    const blocks = numbers.blocks - numbers.draftBlocks;
    const dense = numbers.at('leading_dense_block_count') ?? 0;
    return {
      first_k_dense_replace: dense,
      mlp_layer_types: Array.from({ length: blocks }, (_, block) => (block < dense ? 'dense' : 'sparse')),
    };
  },
});

/** How many config.json says; undefined when it does not. */
export function denseBlocks(config: Json): number | undefined {
  const [key, said] = ['first_k_dense_replace', config.first_k_dense_replace];
  const stated = isAbsent(said) ? undefined : count(config, key, { min: 0, max: maxBlocks });
  const list = perBlock<string>(config, 'mlp_layer_types');
  if (!list) return stated;
  const listed = list.findIndex((kind) => kind !== 'dense');
  const dense = listed < 0 ? list.length : listed;
  if (list.slice(dense).some((kind) => kind !== 'sparse'))
    throw configError(`"mlp_layer_types" is ${show(list)}: the dense layers must come first, the others be "sparse"`);
  if (stated === undefined || stated === dense) return dense;
  throw configError(`"${key}" is ${stated}, and "mlp_layer_types" begins with ${dense} dense layers`);
}

const isDense: NonNullable<TensorRule['blocks']> = ({ numbers, block }) =>
  block < (numbers.at('leading_dense_block_count') ?? 0);

export const inDenseBlocks = (rules: readonly TensorRule[]): TensorRule[] =>
  rules.map((rule) => ({ ...rule, blocks: isDense }));

/** @param also what else decides, such as whether there are shared experts */
export const inSparseBlocks = (
  rules: readonly TensorRule[],
  also: NonNullable<TensorRule['blocks']> = () => true,
): TensorRule[] => rules.map((rule) => ({ ...rule, blocks: (place) => !isDense(place) && also(place) }));
