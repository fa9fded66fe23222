// Gemma 3: Gemma 2 with norms of q and k in place of the soft caps, a window in five blocks of six, and a base of rope for
// each of the two kinds; scaling of positions is for the blocks that see everything. GGUF: Gemma3Model of llama.cpp's
// conversion/gemma.py.
import type { AttentionSpec } from '../forward/mixers/attention/spec.ts';
import type { RopeSpec } from '../forward/rope.ts';
import type { NetworkReader } from '../network-reader.ts';
import type { Architecture, Json } from './architecture.ts';
import { count, isAbsent } from './config-error.ts';
import { decoder, normedBlock, readAttention, readBlocks, readEps, readWindowRope } from './decoder.ts';
import { denseConfig, densePairs, outsideBlocks } from './dense.ts';
import {
  geluMlp,
  gemmaDefaults,
  gemmaEmbedding,
  gemmaNorm,
  gemmaProjections,
  noBiases,
  noSpacePrefix,
  withScaledEmbedding,
} from './gemma.ts';
import { queryScale, readQueryScale } from './query-scale.ts';
import { readWindows, windowLayerKeys } from './window-layers.ts';

const [period, deepest] = [6, 62];

/** Published files name an interval; transformers 5 keeps it beside `layer_types`. */
const interval = (config: Json): number => {
  const key = ['sliding_window_pattern', '_sliding_window_pattern'].find((name) => !isAbsent(config[name]));
  return key === undefined ? period : count(config, key);
};

/** What Gemma 3 and EmbeddingGemma share. */
export const gemma3Family = {
  fixed: [
    { key: 'hidden_activation', values: ['gelu_pytorch_tanh'], why: 'the MLP is computed with GELU in its tanh form' },
    { key: 'attn_logit_softcapping', values: [], why: 'GGUF has no cap of attention scores for Gemma 3' },
    noBiases,
  ],
  // The class reads `hidden_activation` alone; the others are the wrapper's.
  ignored: ['hidden_act', 'mm_tokens_per_image'],
  rope: { types: ['default', 'linear'], theta: 1e6, window: { theta: 10000 } },
  slidingWindow: false,
  tied: true,
  vocabSize: 262208,
  config: [
    ...denseConfig({ ...gemmaDefaults, contextLength: 131072, heads: 8, kvHeads: 4 }),
    {
      hf: 'final_logit_softcapping',
      gguf: ['final_logit_softcapping'],
      type: 'float32',
      missing: () => undefined,
    },
    ...windowLayerKeys({ period, interval, window: 4096 }),
    queryScale(deepest),
  ],
  tensors: [
    ...gemmaEmbedding,
    outsideBlocks('lm_head.weight', 'output.weight', ['vocab', 'embd'], 'untied'),
    gemmaNorm('input_layernorm', 'attn_norm'),
    gemmaNorm('post_attention_layernorm', 'post_attention_norm'),
    gemmaNorm('pre_feedforward_layernorm', 'ffn_norm'),
    gemmaNorm('post_feedforward_layernorm', 'post_ffw_norm'),
    gemmaNorm('self_attn.q_norm', 'attn_q_norm', 'headDim'),
    gemmaNorm('self_attn.k_norm', 'attn_k_norm', 'headDim'),
    ...gemmaProjections,
  ],
  awq: densePairs,
  tokenizerKeys: [noSpacePrefix],
} as const satisfies Partial<Architecture>;

export function gemma3Network(read: NetworkReader, rest: Pick<AttentionSpec, 'causal'> = {}) {
  const eps = readEps(read);
  const windows = readWindows(read, readBlocks(read), period);
  const { window: _, ...usual } = readAttention(read, {
    style: 'neox',
    qkNorm: { eps, over: 'head', at: 'before-rope' },
  });
  const full: AttentionSpec = { ...usual, ...rest, scale: readQueryScale(read, deepest) };
  const windowRope: RopeSpec = readWindowRope(read, full.rope!, 10000);
  const mlp = geluMlp(read);
  const cap = read.optionalNumber('final_logit_softcapping', 0, 0, 1e6);
  const network = decoder(read, (i) => {
    const window = windows[i];
    return normedBlock(eps, window === undefined ? full : { ...full, window, rope: windowRope }, mlp);
  });
  return withScaledEmbedding({ ...network, output: { ...network.output, ...(cap > 0 && { softCap: cap }) } });
}

export const gemma3: Architecture = {
  ...gemma3Family,
  family: 'gemma3',
  name: 'gemma3',
  hf: ['Gemma3ForCausalLM', 'Gemma3ForConditionalGeneration'],
  modelType: ['gemma3_text', 'gemma3'],
  fixed: [
    ...gemma3Family.fixed,
    { key: 'use_bidirectional_attention', values: [false], why: 'attention of a model that generates is causal' },
  ],
  network: (read) => gemma3Network(read),
  remarks: [
    'query_pre_attn_scalar: llama.cpp knows 1/√head_dim, and 1/√(width/heads) at 62 layers; where config.json says otherwise quern writes gemma3.attention.scale, which llama.cpp ignores, and computes as transformers does',
    'layer_types that are not five of six: written as gemma3.attention.sliding_window_pattern, which llama.cpp reads and its converter forgets',
  ],
};
