// What the dense decoder-only models share: the config.json keys and tensor names that transformers gave to Llama and
// that its descendants kept. Order of keys: TextModel.set_gguf_parameters of llama.cpp's conversion/base.py.
import { halvesToPairs } from '../change/permuted-heads.ts';
import type { Architecture, ConfigRule, FixedConfig, Json, ScalingPair, TensorRule } from './architecture.ts';
import type { Dimension } from './dimensions.ts';
import { maxBlocks } from './model-numbers.ts';
import type { Presence, StoredAs } from './tensor-rule.ts';

const heads = (config: Json) => Number(config.num_attention_heads);

/** `hidden_size / num_attention_heads`, the head size where config.json names none. */
export const evenHeadDim = (config: Json) => Math.floor(Number(config.hidden_size) / heads(config));

export interface DenseDefaults {
  contextLength: number;
  /** `num_attention_heads` when the key is absent; required when not given. */
  heads?: number;
  /** `num_key_value_heads` when the key is absent; null always means one per attention head. */
  kvHeads?: number;
  rmsEps: number;
  headDim: (config: Json) => number | undefined;
  /** `optional`: every block has experts, and config.json may lack the width of an MLP. */
  feedForward?: 'optional';
  /** Keys of a mixture of experts, which the converter writes in the middle. */
  experts?: readonly ConfigRule[];
}

/** The keys of every dense model; the numbers are the defaults of the transformers config class. */
export function denseConfig(defaults: DenseDefaults): (ConfigRule | 'rope' | 'fileType')[] {
  return [
    { hf: 'num_hidden_layers', gguf: ['block_count'], type: 'uint32', max: maxBlocks, plusDraft: true },
    { hf: 'max_position_embeddings', gguf: ['context_length'], type: 'uint32', missing: () => defaults.contextLength },
    { hf: 'hidden_size', gguf: ['embedding_length'], type: 'uint32' },
    {
      hf: 'intermediate_size',
      gguf: ['feed_forward_length'],
      type: 'uint32',
      ...(defaults.feedForward === 'optional' && { missing: () => undefined }),
    },
    {
      hf: 'num_attention_heads',
      gguf: ['attention.head_count'],
      type: 'uint32',
      ...(defaults.heads !== undefined && { missing: () => defaults.heads }),
    },
    {
      hf: 'num_key_value_heads',
      gguf: ['attention.head_count_kv'],
      type: 'uint32',
      missing: (config) => (config.num_key_value_heads === null ? heads(config) : (defaults.kvHeads ?? heads(config))),
    },
    'rope',
    {
      hf: 'rms_norm_eps',
      gguf: ['attention.layer_norm_rms_epsilon'],
      type: 'float32',
      missing: () => defaults.rmsEps,
    },
    ...(defaults.experts ?? []),
    {
      hf: 'head_dim',
      gguf: ['attention.key_length', 'attention.value_length'],
      type: 'uint32',
      missing: defaults.headDim,
    },
    'fileType',
  ];
}

export const fixedForDense: readonly FixedConfig[] = [
  { key: 'hidden_act', values: ['silu', 'swish'], why: 'the gated MLP is computed with SiLU' },
  { key: 'mlp_bias', values: [false], why: 'biases in the MLP are not mapped' },
  { key: 'is_causal', values: [true], why: 'attention is causal' },
];

/** Qwen's window in some of the layers, which no released model uses. Its keys say nothing when the switch is off. */
export const noWindow: FixedConfig = {
  key: 'use_sliding_window',
  values: [false],
  why: 'a sliding window in some layers only is not supported',
};
export const windowKeys: readonly string[] = ['sliding_window', 'max_window_layers', 'use_mrope'];

/** A tensor of no block. */
export const outsideBlocks = (
  hf: string,
  gguf: string,
  shape: readonly Dimension[],
  presence: Presence = 'always',
): TensorRule => ({ gguf, shape, presence, stored: { name: hf } });

export const embeddingTensors: readonly TensorRule[] = [
  outsideBlocks('model.embed_tokens.weight', 'token_embd.weight', ['vocab', 'embd']),
  outsideBlocks('model.norm.weight', 'output_norm.weight', ['embd']),
  outsideBlocks('lm_head.weight', 'output.weight', ['vocab', 'embd'], 'untied'),
];

/** Factors of Llama 3's rope scaling. */
export const ropeFreqs: TensorRule = { gguf: 'rope_freqs.weight', shape: ['ropePairs'], presence: 'made' };

/** What a rule of a block says beside its names and its shape. */
type InBlock = Omit<TensorRule, 'gguf' | 'shape' | 'presence' | 'stored'> &
  Omit<StoredAs, 'name'> & { presence?: Presence };

/** A tensor of a block: `hf` within `model.layers.{i}.`, `gguf` within `blk.{i}.`. */
export function inBlock(hf: string, gguf: string, shape: readonly Dimension[], rest: InBlock = {}): TensorRule {
  const { part, changes, packed, presence = 'always', ...rule } = rest;
  return {
    gguf: `blk.{i}.${gguf}`,
    shape,
    presence,
    stored: {
      name: `model.layers.{i}.${hf}`,
      ...(part && { part }),
      ...(changes && { changes }),
      ...(packed !== undefined && { packed }),
    },
    ...rule,
  };
}

export const mlpTensors: readonly TensorRule[] = [
  inBlock('mlp.gate_proj.weight', 'ffn_gate.weight', ['ff', 'embd']),
  inBlock('mlp.up_proj.weight', 'ffn_up.weight', ['ff', 'embd']),
  inBlock('mlp.down_proj.weight', 'ffn_down.weight', ['embd', 'ff']),
];

/** `permute` for architectures whose GGUF rope style is `norm`. */
export const denseBlockTensors = ({ permute }: { permute: boolean }): TensorRule[] => [
  ...attentionBlockTensors({ permute }),
  ...mlpTensors,
];

const permuted = (permute: boolean, of: 'heads' | 'kvHeads'): InBlock =>
  permute ? { changes: [halvesToPairs(of)] } : {};

/** A block without its MLP. */
export function attentionBlockTensors({ permute }: { permute: boolean }): TensorRule[] {
  return [
    inBlock('input_layernorm.weight', 'attn_norm.weight', ['embd']),
    inBlock('self_attn.q_proj.weight', 'attn_q.weight', ['q', 'embd'], permuted(permute, 'heads')),
    inBlock('self_attn.k_proj.weight', 'attn_k.weight', ['k', 'embd'], permuted(permute, 'kvHeads')),
    inBlock('self_attn.v_proj.weight', 'attn_v.weight', ['v', 'embd']),
    inBlock('self_attn.o_proj.weight', 'attn_output.weight', ['embd', 'attnOut']),
    inBlock('post_attention_layernorm.weight', 'ffn_norm.weight', ['embd']),
  ];
}

/** RMS norms of every q and k head. */
export const headNormTensors: readonly TensorRule[] = [
  inBlock('self_attn.q_norm.weight', 'attn_q_norm.weight', ['headDim']),
  inBlock('self_attn.k_norm.weight', 'attn_k_norm.weight', ['headDim']),
];

/** Biases of q, k, v; `permute` as above. */
export function qkvBiasTensors({ permute, presence }: { permute: boolean; presence: Presence }): TensorRule[] {
  return [
    inBlock('self_attn.q_proj.bias', 'attn_q.bias', ['q'], { ...permuted(permute, 'heads'), presence }),
    inBlock('self_attn.k_proj.bias', 'attn_k.bias', ['k'], { ...permuted(permute, 'kvHeads'), presence }),
    inBlock('self_attn.v_proj.bias', 'attn_v.bias', ['v'], { presence }),
  ];
}

export const attentionPairs: readonly ScalingPair[] = [
  { prev: 'attn_norm', layers: ['attn_q', 'attn_k', 'attn_v'], inspect: 'sub-layer' },
  { prev: 'attn_v', layers: ['attn_output'], inspect: 'layer', sameShape: true },
];

export const densePairs: readonly ScalingPair[] = [
  ...attentionPairs,
  { prev: 'ffn_norm', layers: ['ffn_gate', 'ffn_up'], inspect: 'sub-layer' },
  { prev: 'ffn_up', layers: ['ffn_down'], inspect: 'layer' },
];

/**
 * LlamaModel.set_vocab of llama.cpp's conversion/llama.py knows two families by their vocabulary size alone: Granite's (also
 * SmolLM's) takes no BOS, CodeLlama's ends a fill-in-the-middle turn with token 32010.
 */
export const llamaTokenizerFixes: Architecture['tokenizerFixes'] = new Map([
  [49152, [['tokenizer.ggml.add_bos_token', { type: 'bool', value: false }]]],
  [32016, [['tokenizer.ggml.eot_token_id', { type: 'uint32', value: 32010 }]]],
]);
