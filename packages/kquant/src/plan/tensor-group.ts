// The groups of tensors that mixture rules speak of (llama-quant.cpp `tensor_get_category`): the first row whose text
// the name contains (or equals) decides.

export type TensorGroup =
  | 'output'
  | 'token_embd'
  | 'attn_v'
  | 'attn_k'
  | 'attn_q'
  | 'attn_output'
  | 'ffn_up'
  | 'ffn_gate'
  | 'ffn_down'
  | 'other';

const groups: readonly { group: TensorGroup; equals?: string; contains?: string }[] = [
  { group: 'output', equals: 'output.weight' },
  { group: 'token_embd', equals: 'token_embd.weight' },
  { group: 'token_embd', equals: 'per_layer_token_embd.weight' },
  // Fused projections hold the values too, so they follow the rule of attn_v.
  { group: 'attn_v', contains: 'attn_qkv.weight' },
  { group: 'attn_v', contains: 'attn_kv_b.weight' },
  { group: 'attn_v', contains: 'attn_v.weight' },
  { group: 'attn_k', contains: 'attn_k.weight' },
  { group: 'attn_q', contains: 'attn_q.weight' },
  { group: 'attn_output', contains: 'attn_output.weight' },
  { group: 'ffn_up', contains: 'ffn_up' },
  { group: 'ffn_gate', contains: 'ffn_gate' },
  { group: 'ffn_down', contains: 'ffn_down' },
];

export const tensorGroup = (name: string): TensorGroup =>
  groups.find(({ equals, contains }) => name === equals || (contains !== undefined && name.includes(contains)))
    ?.group ?? 'other';

/** Layer of a `blk.N.` tensor, or -1. */
export const layerOf = (name: string): number => Number(/^blk\.(\d+)/.exec(name)?.[1] ?? -1);

/**
 * The order in which llama-quantize writes: tensors of no layer first, then by layer, then by name, byte by byte
 * (llama-model-loader.h `weight_name_comparer`). The counters of the mixture rules follow this order.
 */
export function compareTensorNames(a: string, b: string): number {
  return layerOf(a) - layerOf(b) || Buffer.compare(Buffer.from(a), Buffer.from(b));
}
