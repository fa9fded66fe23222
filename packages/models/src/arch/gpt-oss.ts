// gpt-oss: a window in every other block, a sink per head, biases everywhere, and experts with a clamped SwiGLU, published as
// MXFP4 and kept so. GGUF: GptOssModel of llama.cpp's conversion/gpt_oss.py.
import { transposed } from '../change/transposed.ts';
import type { ExpertsSpec } from '../forward/feed-forwards/experts/spec.ts';
import type { AttentionSpec } from '../forward/mixers/attention/spec.ts';
import type { Architecture, TensorRule } from './architecture.ts';
import { decoder, maxWidth, postAttentionNormBlock, readAttention, readBlocks, readEps } from './decoder.ts';
import { denseConfig, embeddingTensors, fixedForDense, inBlock, qkvBiasTensors } from './dense.ts';
import type { Dimension } from './dimensions.ts';
import { expertCounts, maxExperts } from './mixture.ts';
import { readWindows, windowLayerKeys } from './window-layers.ts';

const period = 2;

/** gate or up, whose rows (in plain weights columns) take turns; plain weights lie [experts, in, out], packed ones turned. */
function gateOrUp(index: 0 | 1, gguf: string): TensorRule[] {
  const name = 'model.layers.{i}.mlp.experts.gate_up_proj';
  const part = { index, of: ['expertFf', 'expertFf'], alternating: true } as const;
  return [
    inBlock('mlp.experts.gate_up_proj', `${gguf}.weight`, ['experts', 'expertFf', 'embd'], {
      part: { ...part, columns: true },
      changes: [transposed],
      packed: false,
      also: [{ name, part, packed: true }],
    }),
    inBlock('mlp.experts.gate_up_proj_bias', `${gguf}.bias`, ['experts', 'expertFf'], {
      part: { ...part, columns: true },
    }),
  ];
}

const bias = (hf: string, gguf: string, shape: readonly Dimension[]) => inBlock(`${hf}.bias`, `${gguf}.bias`, shape);

export const gptOss: Architecture = {
  family: 'gpt-oss',
  name: 'gpt-oss',
  hf: ['GptOssForCausalLM'],
  modelType: 'gpt_oss',
  config: [
    ...denseConfig({
      contextLength: 131072,
      heads: 64,
      kvHeads: 8,
      rmsEps: 1e-5,
      headDim: () => 64,
      experts: expertCounts({ experts: 128, used: 4 }),
    }),
    ...windowLayerKeys({ period, window: 128, assumed: true }),
    { hf: 'intermediate_size', gguf: ['expert_feed_forward_length'], type: 'uint32' },
  ],
  fixed: [
    ...fixedForDense,
    { key: 'attention_bias', values: [true], why: 'attention has biases' },
    { key: 'swiglu_alpha', values: [1.702], why: 'GGUF has no key for it, and llama.cpp takes 1.702' },
    { key: 'swiglu_limit', values: [7], why: 'GGUF has no key for it, and llama.cpp takes 7' },
  ],
  // Other names of what is read.
  ignored: ['experts_per_token', 'initial_context_length'],
  rope: {
    types: ['default', 'linear', 'yarn'],
    theta: 150000,
    truncate: false,
    missing: {
      rope_type: 'yarn',
      factor: 32,
      beta_fast: 32,
      beta_slow: 1,
      truncate: false,
      original_max_position_embeddings: 4096,
    },
  },
  slidingWindow: false,
  tensors: [
    ...embeddingTensors,
    inBlock('input_layernorm.weight', 'attn_norm.weight', ['embd']),
    inBlock('post_attention_layernorm.weight', 'post_attention_norm.weight', ['embd']),
    inBlock('self_attn.q_proj.weight', 'attn_q.weight', ['q', 'embd']),
    inBlock('self_attn.k_proj.weight', 'attn_k.weight', ['k', 'embd']),
    inBlock('self_attn.v_proj.weight', 'attn_v.weight', ['v', 'embd']),
    inBlock('self_attn.o_proj.weight', 'attn_output.weight', ['embd', 'attnOut']),
    ...qkvBiasTensors({ permute: false, presence: 'always' }),
    bias('self_attn.o_proj', 'attn_output', ['embd']),
    inBlock('self_attn.sinks', 'attn_sinks.weight', ['heads']),
    inBlock('mlp.router.weight', 'ffn_gate_inp.weight', ['experts', 'embd']),
    bias('mlp.router', 'ffn_gate_inp', ['experts']),
    ...gateOrUp(0, 'ffn_gate_exps'),
    ...gateOrUp(1, 'ffn_up_exps'),
    inBlock('mlp.experts.down_proj', 'ffn_down_exps.weight', ['experts', 'embd', 'expertFf'], {
      changes: [transposed],
      packed: false,
      also: [{ name: 'model.layers.{i}.mlp.experts.down_proj', packed: true }],
    }),
    inBlock('mlp.experts.down_proj_bias', 'ffn_down_exps.bias', ['experts', 'embd']),
  ],
  experts: true,
  network: (read) => {
    const eps = readEps(read);
    const windows = readWindows(read, readBlocks(read), period);
    const { window: _, ...usual } = readAttention(read, { style: 'neox', yarnTruncate: false });
    const attention: AttentionSpec = { ...usual, sinks: true };
    const count = read.integer('expert_count', 1, maxExperts);
    const experts: ExpertsSpec = {
      kind: 'experts',
      count,
      used: read.integer('expert_used_count', 1, count),
      width: read.uniformInteger('expert_feed_forward_length', 1, maxWidth),
      activation: { act: 'silu', limit: 7, alpha: 1.702, offset: 1 },
      biased: true,
      router: { score: 'softmax', over: 'chosen', biased: true },
    };
    return decoder(read, (i) => postAttentionNormBlock(eps, { ...attention, window: windows[i] }, experts));
  },
  awq: [],
  notPacked: 'no scales can move through up + 1 and its clamp, and the experts are published with 4 bits',
  preTokenizers: { 'llama-bpe': 'gpt-4o' },
  remarks: [
    'yarn without rounding of its range (truncate: false, as published): llama.cpp always rounds; a file without gpt-oss.rope.scaling.yarn_truncate is read as transformers reads the published models',
  ],
};
