// Tensors that quantizing never touches (llama-quant.cpp `tensor_allows_quantization`): they keep the type they have.

/** Parts of names. Small, or ruined by rounding; the reason stands beside each group. */
const neverByName: readonly { contains: string; why: string }[] = [
  { contains: '_norm.weight', why: 'norm' },
  { contains: 'ffn_gate_inp.weight', why: 'expert router' },
  { contains: 'ffn_gate_tid2eid.weight', why: 'token to expert table' },
  { contains: 'altup', why: 'tiny' },
  { contains: 'laurel', why: 'tiny' },
  { contains: 'per_layer_model_proj', why: 'small' },
  { contains: 'ssm_conv1d', why: 'small convolution' },
  { contains: 'shortconv.conv.weight', why: 'small convolution' },
  { contains: 'indexer.k_proj.weight', why: 'tiny indexer' },
  { contains: 'indexer.q_proj.weight', why: 'tiny indexer' },
  { contains: 'time_mix_first.weight', why: 'small RWKV weight' },
  { contains: 'time_mix_w0.weight', why: 'small RWKV weight' },
  { contains: 'time_mix_w1.weight', why: 'small RWKV weight' },
  { contains: 'time_mix_w2.weight', why: 'small RWKV weight' },
  { contains: 'time_mix_v0.weight', why: 'small RWKV weight' },
  { contains: 'time_mix_v1.weight', why: 'small RWKV weight' },
  { contains: 'time_mix_v2.weight', why: 'small RWKV weight' },
  { contains: 'time_mix_a0.weight', why: 'small RWKV weight' },
  { contains: 'time_mix_a1.weight', why: 'small RWKV weight' },
  { contains: 'time_mix_a2.weight', why: 'small RWKV weight' },
  { contains: 'time_mix_g1.weight', why: 'small RWKV weight' },
  { contains: 'time_mix_g2.weight', why: 'small RWKV weight' },
  { contains: 'time_mix_decay_w1.weight', why: 'small RWKV weight' },
  { contains: 'time_mix_decay_w2.weight', why: 'small RWKV weight' },
  { contains: 'time_mix_lerp_fused.weight', why: 'small RWKV weight' },
  { contains: 'attn_rel_b.weight', why: 'relative position bias' },
  { contains: '.position_embd', why: 'positions' },
  { contains: 'sam.pos_embd', why: 'positions' },
  { contains: 'sam.neck.', why: 'vision neck' },
  { contains: 'sam.net_', why: 'vision convolution' },
  { contains: '.rel_pos', why: 'relative positions' },
  { contains: '.patch_embd', why: 'patch embedding' },
  { contains: '.patch_merger', why: 'patch merger' },
  { contains: 'a.rvq.codebook', why: 'audio codebook' },
  { contains: 'mm.a.code_embd', why: 'audio codebook' },
];

const neverByFullName: ReadonlyMap<string, string> = new Map([
  ['position_embd.weight', 'positions'],
  ['token_types.weight', 'token types'],
]);

/** Why a tensor keeps the type it has, or undefined when it may be quantized. */
export function keepsTypeBecause(name: string, shape: readonly number[]): string | undefined {
  // A matrix of one row counts as a vector: ggml does not see trailing dimensions of size 1.
  if (!shape.slice(0, -1).some((size) => size > 1)) return 'vector';
  if (!name.endsWith('weight')) return 'not a weight';
  return neverByFullName.get(name) ?? neverByName.find(({ contains }) => name.includes(contains))?.why;
}
