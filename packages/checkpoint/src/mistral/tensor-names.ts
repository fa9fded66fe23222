// Names of tensors in Mistral's consolidated.safetensors, and in transformers' model.safetensors.
// Source: mistral-inference; gguf-py/gguf/tensor_mapping.py (`llama-pth`, `mixtral`).

const layer = String.raw`^layers\.(\d+)\.`;
const rules: readonly [own: RegExp, transformers: string][] = [
  [/^tok_embeddings\.weight$/, 'model.embed_tokens.weight'],
  [/^norm\.weight$/, 'model.norm.weight'],
  [/^output\./, 'lm_head.'],
  [new RegExp(String.raw`${layer}attention\.w([qkvo])\.`), 'model.layers.$1.self_attn.$2_proj.'],
  [new RegExp(String.raw`${layer}attention_norm\.weight$`), 'model.layers.$1.input_layernorm.weight'],
  [new RegExp(String.raw`${layer}ffn_norm\.weight$`), 'model.layers.$1.post_attention_layernorm.weight'],
  [new RegExp(String.raw`${layer}feed_forward\.w1\.`), 'model.layers.$1.mlp.gate_proj.'],
  [new RegExp(String.raw`${layer}feed_forward\.w2\.`), 'model.layers.$1.mlp.down_proj.'],
  [new RegExp(String.raw`${layer}feed_forward\.w3\.`), 'model.layers.$1.mlp.up_proj.'],
  [new RegExp(String.raw`${layer}feed_forward\.(gate|experts)\.`), 'model.layers.$1.block_sparse_moe.$2.'],
];
/** Scales of FP8: of the weight, and of activations. */
const scales: readonly [own: RegExp, transformers: string][] = [
  [/\.qscale_weight$/, '.weight_scale'],
  [/\.qscale_act$/, '.input_scale'],
];

/** The name that transformers has; a tensor without one (of a tower) keeps its own. */
export function transformersName(own: string): string {
  const rule = rules.find(([pattern]) => pattern.test(own));
  const name = rule ? own.replace(...rule) : own;
  const scale = scales.find(([pattern]) => pattern.test(name));
  return scale ? name.replace(...scale) : name;
}
