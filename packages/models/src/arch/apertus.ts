// Apertus: Llama's attention with q and k normed head by head, and an MLP without a gate, whose activation xIELU has numbers
// that every block has learned. GGUF has those as lists among the metadata. GGUF: ApertusModel of llama.cpp's
// conversion/llama.py.
import { reshaped } from '../change/reshaped.ts';
import type { PlainMlpSpec } from '../forward/feed-forwards/plain-mlp/spec.ts';
import type { NetworkReader } from '../network-reader.ts';
import type { Architecture, TensorRule } from './architecture.ts';
import { decoder, preNormBlock, readAttention, readBlocks, readEps, readFeedForwardLength } from './decoder.ts';
import {
  attentionPairs,
  denseConfig,
  embeddingTensors,
  evenHeadDim,
  fixedForDense,
  headNormTensors,
  inBlock,
  qkvBiasTensors,
  ropeFreqs,
} from './dense.ts';

/** [1] in GGUF's eyes; a buffer of the class has no dimensions. */
const scalar = reshaped(() => []);

const learned = (name: string, isBuffer: boolean): TensorRule =>
  inBlock(`mlp.act_fn.${name}`, `xielu.${name}`, ['one'], {
    listed: `xielu.${name}`,
    ...(isBuffer && { changes: [scalar] }),
  });

const softplus = (x: number): number => (x > 20 ? x : Math.log1p(Math.exp(x)));

/** The alphas are stored before softplus, which keeps them above 0. */
function readActivations(read: NetworkReader): PlainMlpSpec['activation'][] {
  const list = (name: string, min: number, max: number) =>
    read.outside.numberPerLayer(`xielu.${name}`, readBlocks(read), min, max);
  const [alphaP, alphaN, beta] = ['alpha_p', 'alpha_n', 'beta'].map((name) => list(name, -1e6, 1e6));
  return list('eps', -1, 0).map((eps, i) => ({
    act: 'xielu',
    numbers: { alphaP: softplus(alphaP![i]!), alphaN: beta![i]! + softplus(alphaN![i]!), beta: beta![i]!, eps },
  }));
}

const flag = { flag: 'attention_bias' } as const;

export const apertus: Architecture = {
  family: 'apertus',
  name: 'apertus',
  hf: ['ApertusForCausalLM'],
  modelType: 'apertus',
  vocabSize: 131072,
  config: [
    ...denseConfig({ contextLength: 65536, heads: 32, rmsEps: 1e-5, headDim: () => undefined }),
    { hf: 'vocab_size', gguf: ['vocab_size'], type: 'uint32', missing: () => 131072 },
    { hf: 'head_dim', gguf: ['rope.dimension_count'], type: 'uint32', missing: evenHeadDim },
  ],
  fixed: [
    ...fixedForDense.filter(({ key }) => key !== 'hidden_act'),
    { key: 'hidden_act', values: ['xielu'], why: 'the MLP is computed with xIELU' },
    { key: 'post_norm', values: [false], why: 'norms stand before attention and MLP' },
    { key: 'qk_norm', values: [true], why: 'q and k are normed' },
  ],
  rope: {
    types: ['default', 'linear', 'yarn', 'llama3'],
    theta: 12e6,
    missing: {
      rope_type: 'llama3',
      rope_theta: 12e6,
      factor: 8,
      original_max_position_embeddings: 8192,
      low_freq_factor: 1,
      high_freq_factor: 4,
    },
  },
  slidingWindow: false,
  tensors: [
    ropeFreqs,
    ...embeddingTensors,
    inBlock('attention_layernorm.weight', 'attn_norm.weight', ['embd']),
    inBlock('self_attn.q_proj.weight', 'attn_q.weight', ['q', 'embd']),
    inBlock('self_attn.k_proj.weight', 'attn_k.weight', ['k', 'embd']),
    inBlock('self_attn.v_proj.weight', 'attn_v.weight', ['v', 'embd']),
    inBlock('self_attn.o_proj.weight', 'attn_output.weight', ['embd', 'attnOut']),
    ...qkvBiasTensors({ permute: false, presence: flag }),
    inBlock('self_attn.o_proj.bias', 'attn_output.bias', ['embd'], { presence: flag }),
    ...headNormTensors,
    inBlock('feedforward_layernorm.weight', 'ffn_norm.weight', ['embd']),
    inBlock('mlp.up_proj.weight', 'ffn_up.weight', ['ff', 'embd']),
    inBlock('mlp.down_proj.weight', 'ffn_down.weight', ['embd', 'ff']),
    ...['alpha_n', 'alpha_p'].map((name) => learned(name, false)),
    ...['beta', 'eps'].map((name) => learned(name, true)),
  ],
  network: (read) => {
    const eps = readEps(read);
    const attention = readAttention(read, { style: 'neox', qkNorm: { eps, over: 'head', at: 'before-rope' } });
    const [width, activations] = [readFeedForwardLength(read), readActivations(read)];
    return decoder(read, (i) =>
      preNormBlock(eps, attention, { kind: 'plain-mlp', width, activation: activations[i]!, biased: false }),
    );
  },
  awq: [...attentionPairs, { prev: 'ffn_norm', layers: ['ffn_up'], inspect: 'sub-layer' }],
};
