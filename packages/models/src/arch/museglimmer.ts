// Muse Glimmer (text part): embeddings are normed; norms on both sides, those after with a number of their own; q and k normed without weights, q
// then enlarged; what attention gives is gated number by number; every fourth block from the last sees everything and knows
// no positions. GGUF: MuseGlimmerModel of llama.cpp's conversion/muse_glimmer.py.
import { plusOne } from '../change/mapped-values.ts';
import { halvesToPairs } from '../change/permuted-heads.ts';
import type { BlockSpec } from '../forward/network.ts';
import { rmsNorm } from '../forward/norm.ts';
import type { Architecture, ConfigRule, Json, TensorRule } from './architecture.ts';
import { count, isAbsent, perBlock, show } from './config-error.ts';
import { decoder, readAttention, readBlocks, readEps, readGatedMlp } from './decoder.ts';
import { denseConfig, embeddingTensors, inBlock, mlpTensors } from './dense.ts';
import { layerTypes } from './layer-types.ts';
import { readWindows } from './window-layers.ts';

/** q is normed and times this: GGUF has it as the weights of a norm. */
const queryFactor = 3.87;
const afterEps = 1e-8;
const theta = 500000;

const kinds = ['sliding_attention', 'full_attention'] as const;
const isWindowed = (config: Json): boolean[] => {
  const blocks = Number(config.num_hidden_layers);
  return layerTypes(config, kinds, (block) => kinds[(blocks - 1 - block) % 4 === 0 ? 1 : 0]).map(
    (kind) => kind === kinds[0],
  );
};

const layers: readonly ConfigRule[] = [
  {
    gguf: ['attention.sliding_window'],
    type: 'uint32',
    made: (config) => (isAbsent(config.sliding_window) ? 2048 : count(config, 'sliding_window')),
    back: (numbers) => ({ sliding_window: numbers.at('attention.sliding_window') }),
  },
  {
    gguf: ['attention.sliding_window_pattern'],
    type: 'bool',
    made: isWindowed,
    back: (numbers) => ({
      layer_types: numbers.list('attention.sliding_window_pattern')!.map((has) => kinds[has === 1 ? 0 : 1]),
      layer_rope_theta: numbers
        .list('attention.sliding_window_pattern')!
        .map((has) => (has === 1 ? (numbers.at('rope.freq_base') ?? theta) : 0)),
    }),
  },
];

/** GGUF has one base for the blocks with a window, and no positions for the others. */
function otherBases(config: Json): string | undefined {
  const bases = perBlock<number>(config, 'layer_rope_theta');
  const base = config.rope_parameters?.rope_theta ?? config.rope_theta ?? theta;
  const windowed = isWindowed(config);
  if (!bases || bases.every((given, block) => given === (windowed[block] ? base : 0))) return undefined;
  return `"layer_rope_theta": ${show(bases)} (blocks with a window turn by one base, the others not at all)`;
}

const norm = (hf: string, gguf: string): TensorRule =>
  inBlock(`${hf}.weight`, `${gguf}.weight`, ['embd'], { changes: [plusOne] });
const filled = (gguf: string, value: number): TensorRule => ({
  gguf: `blk.{i}.${gguf}.weight`,
  shape: ['headDim'],
  presence: 'made',
  make: ({ sizes }) => new Float32Array(sizes.headDim!).fill(value),
});

export const museglimmer: Architecture = {
  family: 'muse-glimmer',
  name: 'muse-glimmer',
  hf: ['MuseGlimmerTextModel', 'MuseGlimmerForConditionalGeneration'],
  modelType: ['muse_glimmer_text', 'muse_glimmer'],
  config: [
    ...denseConfig({ contextLength: 131072, kvHeads: 2, rmsEps: 1e-5, headDim: () => 128 }),
    { hf: 'final_logit_softcapping', gguf: ['final_logit_softcapping'], type: 'float32', missing: () => 20 },
    { hf: 'output_multiplier', gguf: ['logit_scale'], type: 'float32', missing: () => 0.19611613513818404 },
    ...layers,
  ],
  fixed: [
    { key: 'hidden_activation', values: ['silu'], why: 'the MLP is computed with SiLU' },
    { key: 'attention_bias', values: [false], why: 'GGUF has no attention biases for muse-glimmer' },
    { key: 'qk_scale_factor', values: [queryFactor], why: 'GGUF has no key for another' },
    { key: 'post_norm_eps', values: [afterEps], why: 'GGUF has no key for another' },
  ],
  unsupported: otherBases,
  rope: { types: ['default'], theta },
  slidingWindow: false,
  tensors: [
    ...embeddingTensors,
    norm('input_layernorm', 'attn_norm'),
    norm('post_attention_layernorm', 'post_attention_norm'),
    norm('pre_feedforward_layernorm', 'ffn_norm'),
    norm('post_feedforward_layernorm', 'post_ffw_norm'),
    inBlock('self_attn.q_proj.weight', 'attn_q.weight', ['q', 'embd'], { changes: [halvesToPairs('heads')] }),
    inBlock('self_attn.k_proj.weight', 'attn_k.weight', ['k', 'embd'], { changes: [halvesToPairs('kvHeads')] }),
    inBlock('self_attn.v_proj.weight', 'attn_v.weight', ['v', 'embd']),
    inBlock('self_attn.gate_proj.weight', 'attn_gate.weight', ['attnOut', 'embd']),
    inBlock('self_attn.o_proj.weight', 'attn_output.weight', ['embd', 'attnOut']),
    filled('attn_q_norm', queryFactor),
    filled('attn_k_norm', 1),
    ...mlpTensors,
  ],
  network: (read) => {
    const eps = readEps(read);
    const windows = readWindows(read, readBlocks(read), 4);
    const { window: _, ...attention } = {
      ...readAttention(read, { style: 'norm', qkNorm: { eps, over: 'head', at: 'before-rope' } }),
      gate: { act: 'sigmoid', in: 'numbers' } as const,
    };
    const { rope: __, ...placeless } = attention;
    const mlp = readGatedMlp(read);
    const block = (window: number | undefined): BlockSpec => ({
      subLayers: [
        {
          before: rmsNorm('attn_norm', eps),
          parts: [{ room: window === undefined ? placeless : { ...attention, window } }],
          after: rmsNorm('post_attention_norm', afterEps),
        },
        { before: rmsNorm('ffn_norm', eps), parts: [{ room: mlp }], after: rmsNorm('post_ffw_norm', afterEps) },
      ],
    });
    const network = decoder(read, (i) => block(windows[i]));
    const scale = read.optionalNumber('logit_scale', 1, 0, 1e6);
    const softCap = read.optionalNumber('final_logit_softcapping', 0, 0, 1e6);
    return {
      ...network,
      embedding: { norm: { kind: 'rms-unweighted', eps } },
      output: { ...network.output, scale, ...(softCap > 0 && { softCap }) },
    };
  },
  // The gate reads the norm's output too.
  awq: [
    { prev: 'attn_norm', layers: ['attn_q', 'attn_k', 'attn_v', 'attn_gate'], inspect: 'sub-layer' },
    { prev: 'ffn_norm', layers: ['ffn_gate', 'ffn_up'], inspect: 'sub-layer' },
    { prev: 'ffn_up', layers: ['ffn_down'], inspect: 'layer' },
  ],
  tokensByName: { eot: '<|eot|>' },
  remarks: [
    'Exported without the tower: as MuseGlimmerTextModel.',
    'qk_scale_factor other than 3.87 and post_norm_eps other than 1e-8 are refused: GGUF has no keys for them.',
  ],
  preTokenizers: { 'llama-bpe': 'llama4', 'gpt-4o': 'llama4' },
};
