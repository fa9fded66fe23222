// What kind of layer stands where: `layer_types`, or what its absence means.
import { configError, count, perBlock, show } from './config-error.ts';
import type { Json } from './config-rule.ts';
import { maxBlocks } from './model-numbers.ts';

/**
 * One of `kinds` for every block.
 * @param missing the kind of block `i` when config.json has no list
 * @throws QuernError `config-bad-value` for a list of another length or with other words
 */
export function layerTypes<Kind extends string>(
  config: Json,
  kinds: readonly Kind[],
  missing: (block: number) => Kind,
): Kind[] {
  const blocks = count(config, 'num_hidden_layers', { max: maxBlocks });
  const list = perBlock<Kind>(config, 'layer_types', blocks);
  if (!list) return Array.from({ length: blocks }, (_, block) => missing(block));
  const other = list.find((kind) => !kinds.includes(kind));
  if (other === undefined) return list;
  throw configError(`"layer_types" has ${show(other)} (known: ${kinds.join(', ')})`);
}

/** Kinds in turn, one `other` after every `interval − 1`: the pattern of most mixtures of two kinds. */
export const everyNth =
  <Kind>(interval: number, usual: Kind, other: Kind) =>
  (block: number): Kind =>
    (block + 1) % interval === 0 ? other : usual;
