// Tensors that say how activations or a KV cache are to be rounded, told by their names: weights need none of them. The
// scales of caches have had many names:
//
//   self_attn.{k,v,kv}_scale, self_attn.attn.{q,k,v,prob}_scale    vLLM, llm-compressor; `_zero_point` beside them
//   self_attn.{k,v}_proj.{k,v}_scale, self_attn.qkv_proj.{k,v}_scale, …qkqkv_proj…   ModelOpt, fused by some exporters
//   self_attn.{k,v}_proj.output_scale                              compressed-tensors before kv_cache_scheme; Quark
//   self_attn.{k,v}_bmm_quantizer._amax, …                         ModelOpt before its export
//
// Source: vLLM vllm/model_executor/model_loader/weight_utils.py (maybe_remap_kv_scale_name) and the exporters named.

const number = '(?:scales?(?:_inv|_float)?|global_scale|zero_points?|zeros?|amax)';
const cacheParts = new RegExp(
  [
    `[._](?:[qkv]|kv|prob)(?:_cache)?_${number}$`,
    `[._](?:[kv]|kv)_cache\\.${number}$`,
    `[._][kv]_proj\\.output_${number}$`,
    '[._](?:[qkvp]|softmax)_bmm_quantizer\\.\\w+$',
  ].join('|'),
);
const activationParts =
  /[._](input_scale|input_scale_ub|input_zero_point|input_global_scale|output_scale|output_zero_point|activation_scale|(in|out)put_quantizer\._\w+)$/;

/** Scales and zeros of a KV cache. */
export const describesCache = (name: string): boolean => cacheParts.test(name);

/** Whether a tensor says how activations, or a KV cache, are to be rounded. */
export const describesActivations = (name: string): boolean => activationParts.test(name) || describesCache(name);
