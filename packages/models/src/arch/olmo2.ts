// OLMo 2: Llama's block without norms before attention and MLP, with norms after both, and an RMS norm over all of q and k.
// OLMo 3 has a window in three of four blocks, whose positions are not scaled. GGUF calls both `olmo2`.
import type { Network } from '../forward/network.ts';
import type { NetworkReader } from '../network-reader.ts';
import type { Architecture } from './architecture.ts';
import { decoder, postNormBlock, readAttention, readBlocks, readEps, readGatedMlp, readWindowRope } from './decoder.ts';
import { denseConfig, embeddingTensors, fixedForDense, inBlock, mlpTensors } from './dense.ts';
import { readWindows, windowLayerKeys } from './window-layers.ts';

const period = 4;

function olmoNetwork(read: NetworkReader): Network {
  const eps = readEps(read);
  const windows = readWindows(read, readBlocks(read), period);
  const { window: _, ...full } = readAttention(read, {
    style: 'neox',
    qkNorm: { eps, over: 'width', at: 'before-rope' },
  });
  const rope = readWindowRope(read, full.rope!, full.rope!.base);
  const mlp = readGatedMlp(read);
  return decoder(read, (i) =>
    postNormBlock(eps, windows[i] === undefined ? full : { ...full, window: windows[i], rope }, mlp),
  );
}

const family = {
  name: 'olmo2',
  fixed: [...fixedForDense, { key: 'attention_bias', values: [false], why: 'GGUF has no attention biases for olmo2' }],
  slidingWindow: false,
  tensors: [
    ...embeddingTensors,
    inBlock('self_attn.q_proj.weight', 'attn_q.weight', ['q', 'embd']),
    inBlock('self_attn.k_proj.weight', 'attn_k.weight', ['k', 'embd']),
    inBlock('self_attn.v_proj.weight', 'attn_v.weight', ['v', 'embd']),
    inBlock('self_attn.o_proj.weight', 'attn_output.weight', ['embd', 'attnOut']),
    inBlock('self_attn.q_norm.weight', 'attn_q_norm.weight', ['q']),
    inBlock('self_attn.k_norm.weight', 'attn_k_norm.weight', ['k']),
    inBlock('post_attention_layernorm.weight', 'post_attention_norm.weight', ['embd']),
    inBlock('post_feedforward_layernorm.weight', 'post_ffw_norm.weight', ['embd']),
    ...mlpTensors,
  ],
  network: olmoNetwork,
  // No norm stands before the matrices that read one input.
  awq: [
    { prev: 'attn_v', layers: ['attn_output'], inspect: 'layer', sameShape: true },
    { prev: 'ffn_up', layers: ['ffn_down'], inspect: 'layer' },
  ],
  preTokenizers: { 'llama-bpe': 'dbrx' },
} as const satisfies Partial<Architecture>;

export const olmo2: Architecture = {
  ...family,
  family: 'olmo2',
  hf: ['Olmo2ForCausalLM'],
  modelType: 'olmo2',
  config: denseConfig({ contextLength: 2048, rmsEps: 1e-5, headDim: () => undefined }),
  rope: { types: ['default', 'linear', 'yarn'] },
};

export const olmo3: Architecture = {
  ...family,
  family: 'olmo3',
  hf: ['Olmo3ForCausalLM'],
  modelType: 'olmo3',
  config: [
    ...denseConfig({ contextLength: 2048, rmsEps: 1e-5, headDim: () => undefined }),
    ...windowLayerKeys({ period, window: 4096, listed: true }),
  ],
  rope: { types: ['default', 'yarn'], theta: 500000, window: {} },
  remarks: [
    'yarn: an attention_factor in config.json is followed, as in transformers; llama.cpp takes 0.1 · ln(factor) + 1',
  ],
};
