// Nemotron 3 and 4, Minitron (dense): layer norms with weights stored around zero, an MLP of relu² without a gate, a part of
// each head turning.
// Source: llama.cpp conversion/nemotron.py, src/models/nemotron.cpp; transformers models/nemotron/modeling_nemotron.py.
import { plusOne } from '../change/mapped-values.ts';
import { layerNorm } from '../forward/norm.ts';
import type { Architecture, ConfigRule, Json, TensorRule } from './architecture.ts';
import { decoder, readAttention, readLayerNormEps } from './decoder.ts';
import { denseConfig, embeddingTensors, evenHeadDim, outsideBlocks } from './dense.ts';
import { biased, layerNormBlock, normWithBias, readPlainMlp } from './layer-norm-blocks.ts';
import { rotaryDims } from './rotary-part.ts';

const part = 0.5;
const headDim = (config: Json): number => config.head_dim ?? evenHeadDim(config);

/** The converter finds it twice, and so writes it twice. */
const eps = (key: string): ConfigRule => ({
  hf: ['norm_eps', 'layer_norm_eps', 'layer_norm_epsilon', 'norm_epsilon'],
  gguf: [key],
  type: 'float32',
  missing: () => 1e-5,
});
const rmsEps = 'attention.layer_norm_rms_epsilon';

const isScaled = ({ rope_parameters: now, rope_scaling: before }: Json): boolean =>
  [now, before].some((rope) => (rope?.rope_type ?? rope?.type ?? 'default') !== 'default');

const zeroCentred = (rule: TensorRule): TensorRule =>
  rule.gguf.endsWith('norm.weight') ? { ...rule, stored: { ...rule.stored!, changes: [plusOne] } } : rule;

const attentionBias = { flag: 'attention_bias' };
const mlpBias = { flag: 'mlp_bias' };

export const nemotron: Architecture = {
  family: 'nemotron',
  name: 'nemotron',
  hf: ['NemotronForCausalLM'],
  modelType: 'nemotron',
  config: [
    ...denseConfig({ contextLength: 4096, rmsEps: 1e-5, headDim: evenHeadDim }).map((rule) =>
      typeof rule === 'object' && rule.gguf[0] === rmsEps ? eps(rmsEps) : rule,
    ),
    { hf: 'vocab_size', gguf: ['vocab_size'], type: 'uint32' },
    eps('attention.layer_norm_epsilon'),
    rotaryDims(part, headDim),
    { gguf: ['rope.scaling.type'], type: 'string', made: (config) => (isScaled(config) ? undefined : 'none') },
  ],
  fixed: [
    { key: 'hidden_act', values: ['relu2'], missing: 'relu2', why: 'the MLP is computed with the square of relu' },
  ],
  rope: { types: ['default', 'linear'], partial: part },
  slidingWindow: false,
  tensors: [
    ...embeddingTensors,
    outsideBlocks('model.norm.bias', 'output_norm.bias', ['embd']),
    ...normWithBias('input_layernorm', 'attn_norm'),
    ...biased('self_attn.q_proj', 'attn_q', ['q', 'embd'], attentionBias),
    ...biased('self_attn.k_proj', 'attn_k', ['k', 'embd'], attentionBias),
    ...biased('self_attn.v_proj', 'attn_v', ['v', 'embd'], attentionBias),
    ...biased('self_attn.o_proj', 'attn_output', ['embd', 'attnOut'], attentionBias),
    ...normWithBias('post_attention_layernorm', 'ffn_norm'),
    ...biased('mlp.up_proj', 'ffn_up', ['ff', 'embd'], mlpBias),
    ...biased('mlp.down_proj', 'ffn_down', ['embd', 'ff'], mlpBias),
  ].map(zeroCentred),
  tokenizerKeys: [
    ['tokenizer.ggml.padding_token_id', { type: 'uint32', value: 0 }],
    ['tokenizer.ggml.unknown_token_id', { type: 'uint32', value: 1 }],
  ],
  network: (read) => {
    const normEps = readLayerNormEps(read);
    const block = layerNormBlock(normEps, readAttention(read, { style: 'neox' }), readPlainMlp(read, { act: 'relu2' }));
    return decoder(read, () => block, layerNorm('output_norm', normEps));
  },
  // As for gpt2; and relu² does not let a scale through.
  awq: [],
  notPacked: 'norms with a mean, and an MLP without a gate, leave few of the matrices that scales could be moved into',
  remarks: [
    'rope.dimension_count where head_dim is not hidden_size / num_attention_heads: the converter takes a part of the latter, quern of the former, as transformers does',
  ],
};
