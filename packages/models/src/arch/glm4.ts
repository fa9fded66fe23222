// GLM-4 without experts: rope turns neighbours in a part of each head, gate and up are one matrix. The first models (class
// Glm) have Llama's norms, those since 0414 (Glm4) a norm before and one after attention and MLP; the text model of GLM-4V
// is the latter. GGUF: ChatGLMModel of llama.cpp's conversion/chatglm.py, Glm4Model of conversion/glm.py.
import type { Change } from '../change/change.ts';
import { orderedRows } from '../change/ordered.ts';
import type { Heads } from '../change/permuted-heads.ts';
import type { FeedForwardSpec } from '../forward/feed-forwards/index.ts';
import type { NetworkReader } from '../network-reader.ts';
import type { Architecture, ConfigRule, Json, TensorRule } from './architecture.ts';
import { decoder, normedBlock, preNormBlock, readAttention, readEps, readFeedForwardLength } from './decoder.ts';
import { denseConfig, embeddingTensors, evenHeadDim, fixedForDense, inBlock } from './dense.ts';
import { phi3 } from './phi3.ts';
import { rotaryPart } from './rotary-part.ts';

/** The part of each head that rope turns in Glm and Glm4. */
const part = 0.5;
const biased = { flag: 'attention_bias', missing: true } as const;
const isOwnSize = (config: Json): boolean => (config.head_dim ?? 128) !== evenHeadDim(config);

/** @param part of each head, when config.json says nothing */
const rotaryDims = (headDim: (config: Json) => number, part: number): ConfigRule => ({
  gguf: ['rope.dimension_count'],
  type: 'uint32',
  made: (config) => Math.floor((config.head_dim ?? headDim(config)) * (rotaryPart(config) ?? part)),
  back: (numbers) => {
    const even = numbers.at('embedding_length')! / numbers.at('attention.head_count')!;
    const headDim = numbers.at('attention.key_length') ?? even;
    return { head_dim: headDim, partial_rotary_factor: numbers.at('rope.dimension_count')! / headDim };
  },
});

/** @param turned what is done to the rows of q and k */
const attentionTensors = (turned?: (heads: Heads) => Change): readonly TensorRule[] => {
  const rows = (heads: Heads) => (turned ? { changes: [turned(heads)] } : {});
  return [
    inBlock('input_layernorm.weight', 'attn_norm.weight', ['embd']),
    inBlock('self_attn.q_proj.weight', 'attn_q.weight', ['q', 'embd'], rows('heads')),
    inBlock('self_attn.k_proj.weight', 'attn_k.weight', ['k', 'embd'], rows('kvHeads')),
    inBlock('self_attn.v_proj.weight', 'attn_v.weight', ['v', 'embd']),
    inBlock('self_attn.q_proj.bias', 'attn_q.bias', ['q'], { ...rows('heads'), presence: biased }),
    inBlock('self_attn.k_proj.bias', 'attn_k.bias', ['k'], { ...rows('kvHeads'), presence: biased }),
    inBlock('self_attn.v_proj.bias', 'attn_v.bias', ['v'], { presence: biased }),
    inBlock('self_attn.o_proj.weight', 'attn_output.weight', ['embd', 'attnOut']),
    inBlock('post_attention_layernorm.weight', 'ffn_norm.weight', ['embd']),
    inBlock('mlp.gate_up_proj.weight', 'ffn_up.weight', ['ffTwice', 'embd']),
    inBlock('mlp.down_proj.weight', 'ffn_down.weight', ['embd', 'ff']),
  ];
};

const afterNorms = [
  inBlock('post_self_attn_layernorm.weight', 'post_attention_norm.weight', ['embd']),
  inBlock('post_mlp_layernorm.weight', 'post_ffw_norm.weight', ['embd']),
];

const readMlp = (read: NetworkReader): FeedForwardSpec => ({
  kind: 'gated-mlp',
  width: readFeedForwardLength(read),
  activation: { act: 'silu' },
  fused: true,
});

/** Where rope has sections llama.cpp turns halves, else neighbours. */
function network(read: NetworkReader) {
  const eps = readEps(read);
  const attention = readAttention(read, { style: read.has('rope.dimension_sections') ? 'neox' : 'norm' });
  const block = normedBlock(eps, attention, readMlp(read));
  return decoder(read, () => block);
}

const common = {
  fixed: fixedForDense,
  slidingWindow: false,
  awq: [
    { prev: 'attn_norm', layers: ['attn_q', 'attn_k', 'attn_v'], inspect: 'sub-layer' },
    { prev: 'attn_v', layers: ['attn_output'], inspect: 'layer', sameShape: true },
    ...phi3.awq.filter(({ prev }) => prev !== 'attn_norm'),
  ],
  tokensByName: { bos: '<|endoftext|>', eos: '<|endoftext|>', eot: '<|user|>', unknown: '<|endoftext|>' },
} as const satisfies Partial<Architecture>;

export const glm: Architecture = {
  ...common,
  family: 'glm',
  name: 'chatglm',
  hf: ['GlmForCausalLM'],
  modelType: 'glm',
  config: [
    { hf: 'max_position_embeddings', gguf: ['context_length'], type: 'uint32', missing: () => 131072 },
    { hf: 'hidden_size', gguf: ['embedding_length'], type: 'uint32' },
    { hf: 'intermediate_size', gguf: ['feed_forward_length'], type: 'uint32' },
    { hf: 'num_hidden_layers', gguf: ['block_count'], type: 'uint32' },
    { hf: 'num_attention_heads', gguf: ['attention.head_count'], type: 'uint32' },
    { hf: 'num_key_value_heads', gguf: ['attention.head_count_kv'], type: 'uint32', missing: () => 2 },
    { hf: 'rms_norm_eps', gguf: ['attention.layer_norm_rms_epsilon'], type: 'float32', missing: () => 1.5625e-7 },
    'fileType',
    rotaryDims(() => 128, part),
    // The converter takes the width of the model by the heads.
    {
      gguf: ['attention.key_length', 'attention.value_length'],
      type: 'uint32',
      made: (config) => (isOwnSize(config) ? (config.head_dim ?? 128) : undefined),
    },
    'rope',
  ],
  rope: { types: ['default', 'linear', 'yarn'], partial: part },
  tensors: [...embeddingTensors, ...attentionTensors()],
  network: (read) => {
    const block = preNormBlock(readEps(read), readAttention(read, { style: 'norm' }), readMlp(read));
    return decoder(read, () => block);
  },
  tokenizerKeys: [['tokenizer.ggml.add_bos_token', { type: 'bool', value: false }]],
  preTokenizers: { 'llama-bpe': 'chatglm-bpe' },
  remarks: [
    'rms_norm_eps, rope_theta, max_position_embeddings and head_dim are those of config.json; the converter of llama.cpp writes 1e-5, 10000, the width of the model, and width / heads',
  ],
};

export const glm4: Architecture = {
  ...common,
  family: 'glm4',
  name: 'glm4',
  hf: ['Glm4ForCausalLM'],
  modelType: 'glm4',
  isOf: (file) => !file.has('rope.dimension_sections'),
  config: [
    ...denseConfig({ contextLength: 131072, kvHeads: 2, rmsEps: 1.5625e-7, headDim: () => 128 }),
    rotaryDims(() => 128, part),
  ],
  rope: { types: ['default', 'linear', 'yarn'], partial: part },
  tensors: [...embeddingTensors, ...attentionTensors(), ...afterNorms],
  network,
  preTokenizers: { 'llama-bpe': 'glm4' },
};

/** The rows of each head that rope turns, from pairs to halves. */
const turnedToHalves = (heads: Heads): Change =>
  orderedRows(`${heads} from pairs to halves where rope turns them`, (rows, { sizes }) => {
    const headRows = rows / sizes[heads]!;
    const turned = 2 * sizes.ropePairs!;
    const half = turned / 2;
    const at = (row: number, within: (row: number) => number) => {
      const place = row % headRows;
      return place < turned ? row - place + within(place) : row;
    };
    return {
      stored: (row) => at(row, (place) => 2 * (place % half) + Math.floor(place / half)),
      gguf: (row) => at(row, (place) => (place % 2) * half + Math.floor(place / 2)),
    };
  });

export const glm4v: Architecture = {
  ...common,
  family: 'glm4v',
  name: 'glm4',
  hf: ['Glm4vTextModel', 'Glm4vForConditionalGeneration'],
  modelType: ['glm4v_text', 'glm4v'],
  isOf: (file) => file.has('rope.dimension_sections'),
  config: [
    ...denseConfig({ contextLength: 32768, kvHeads: 2, rmsEps: 1e-5, headDim: () => undefined }),
    rotaryDims(evenHeadDim, 1),
  ],
  fixed: [...fixedForDense, { key: 'attention_bias', values: [true], why: 'the class has biases on q, k and v' }],
  rope: { types: ['default', 'linear', 'yarn'], partial: 1, sections: [8, 12, 12] },
  tensors: [...embeddingTensors, ...attentionTensors(turnedToHalves), ...afterNorms],
  network,
  preTokenizers: { 'llama-bpe': 'glm4' },
  remarks: ['Exported without the tower: as Glm4vTextModel.'],
};
