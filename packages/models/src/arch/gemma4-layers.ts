// What config.json says of each layer of Gemma 4: which see everything, their sizes, and whose keys and values they use.
import { configError, count, isAbsent, isObject, show } from './config-error.ts';
import type { Json } from './config-rule.ts';
import { everyNth, layerTypes } from './layer-types.ts';

export interface Gemma4Layer {
  readonly window: boolean;
  readonly headDim: number;
  readonly kvHeads: number;
  /** It uses the keys and values of an earlier layer. */
  readonly shared: boolean;
}

const kinds = ['sliding_attention', 'full_attention'] as const;

/** A number with the default of the class. */
const numberOf = (config: Json, key: string, missing: number, min = 1): number =>
  isAbsent(config[key]) ? missing : count(config, key, { min });

/** @throws QuernError `config-bad-value` */
export function gemma4Layers(config: Json): Gemma4Layer[] {
  const listed = layerTypes(config, kinds, everyNth(6, 'sliding_attention', 'full_attention'));
  // transformers makes the last one see everything, whatever the list says.
  const types = listed.map((kind, i) => (i === listed.length - 1 ? 'full_attention' : kind));
  const sharing = numberOf(config, 'num_kv_shared_layers', 0, 0);
  if (sharing >= types.length)
    throw configError(`"num_kv_shared_layers" is ${sharing}, and there are ${types.length} layers`);
  const own = types.slice(0, types.length - sharing);
  const alone = types.find((kind) => !own.includes(kind));
  if (alone !== undefined)
    throw configError(`"num_kv_shared_layers" is ${sharing}: no "${alone}" layer is left that they could use`);
  const of = overrides(config, types);
  return types.map((kind, i) => ({ window: kind === 'sliding_attention', shared: i >= own.length, ...of(i) }));
}

/** Sizes by layer: `per_layer_config` (transformers 5), or keys for all layers that see everything. */
function overrides(
  config: Json,
  types: readonly string[],
): (layer: number) => Pick<Gemma4Layer, 'headDim' | 'kvHeads'> {
  const usual = {
    headDim: numberOf(config, 'head_dim', 256),
    kvHeads: numberOf(config, 'num_key_value_heads', 4),
  };
  const { per_layer_config: given } = config;
  const globalHeadDim = numberOf(config, 'global_head_dim', 512);
  // The class reads the other number of heads only where keys are values, too.
  const named = isAbsent(config.num_global_key_value_heads) ? undefined : count(config, 'num_global_key_value_heads');
  const full = { headDim: globalHeadDim, kvHeads: (config.attention_k_eq_v === true && named) || usual.kvHeads };
  if (isAbsent(given)) return (layer) => (types[layer] === 'full_attention' ? full : usual);
  if (!isObject(given)) throw configError(`"per_layer_config" is ${show(given)}, an object is needed`);
  return (layer) => {
    const own: unknown = given[String(layer)];
    if (isAbsent(own)) return usual;
    if (!isObject(own)) throw configError(`"per_layer_config.${layer}" is ${show(own)}, an object is needed`);
    return {
      headDim: numberOf(own, 'head_dim', usual.headDim),
      kvHeads: numberOf(own, 'num_key_value_heads', usual.kvHeads),
    };
  };
}

/** The head size of all layers of one kind; GGUF has one number for each kind. */
export function headDimOf(config: Json, window: boolean): number {
  const sizes = [...new Set(gemma4Layers(config).flatMap((layer) => (layer.window === window ? layer.headDim : [])))];
  if (sizes.length > 1) throw configError(`layers of one kind have head sizes ${sizes.join(' and ')}`);
  return sizes[0] ?? numberOf(config, 'head_dim', 256);
}
