// Granite 3 and 4 without Mamba blocks, dense: Llama with four multipliers. GGUF: GraniteModel of llama.cpp's
// conversion/granite.py.
import type { AttentionSpec } from '../forward/mixers/attention/spec.ts';
import type { BlockSpec, Network } from '../forward/network.ts';
import type { NetworkReader } from '../network-reader.ts';
import type { Architecture, ConfigRule } from './architecture.ts';
import { decoder, maxWidth, preNormBlock, readAttention, readEps, readGatedMlp } from './decoder.ts';
import { denseBlockTensors, denseConfig, densePairs, embeddingTensors, evenHeadDim, fixedForDense } from './dense.ts';

/** What a multiplier multiplies; config.json without one means 1 (transformers), GGUF as well. */
const multipliers = {
  attention_multiplier: 'attention.scale',
  embedding_multiplier: 'embedding_scale',
  residual_multiplier: 'residual_scale',
  logits_scaling: 'logit_scale',
} as const;

/** Keys behind those of any dense model. */
export const graniteConfig: readonly ConfigRule[] = [
  { hf: 'vocab_size', gguf: ['vocab_size'], type: 'uint32' },
  { gguf: ['rope.dimension_count'], type: 'uint32', made: evenHeadDim },
  ...Object.entries(multipliers).map(
    ([hf, gguf]): ConfigRule => ({ hf, gguf: [gguf], type: 'float32', missing: () => 1 }),
  ),
];

export const graniteDefaults = { contextLength: 2048, rmsEps: 1e-6, headDim: () => undefined } as const;

/** What all Granites share. */
export const graniteFamily = {
  fixed: [...fixedForDense, { key: 'attention_bias', values: [false], why: 'biases in attention are not mapped' }],
  // The classes take width / heads, whatever config.json says.
  ignored: ['head_dim'],
  rope: { types: ['default', 'linear', 'yarn'] },
  // The converter knows the tokenizers of Granite by this name.
  preTokenizers: { smollm: 'refact' },
  slidingWindow: false,
} as const satisfies Partial<Architecture>;

/** Its scale is a key of the file, and whether there is rope. */
export function graniteAttention(read: NetworkReader, all = readAttention(read, { style: 'norm' })): AttentionSpec {
  const { rope, ...rest } = all;
  const scale = read.optionalNumber('attention.scale', all.scale, 0, 1e6) || all.scale;
  return { ...rest, scale, ...(read.optionalSwitch('rope.scaling.finetuned', true) && { rope }) };
}

/** Multiplied as the file says; its logits are divided. */
export function graniteNetwork(read: NetworkReader, blockOf: (index: number) => BlockSpec): Network {
  const factor = (key: string) => read.optionalNumber(key, 1, 0, 1e6) || 1;
  const scale = factor('residual_scale');
  const network = decoder(read, (index) => ({
    subLayers: blockOf(index).subLayers.map((subLayer) => ({ ...subLayer, scale })),
  }));
  return {
    ...network,
    embedding: { scale: factor('embedding_scale') },
    output: { ...network.output, scale: 1 / factor('logit_scale') },
  };
}

export const granite: Architecture = {
  ...graniteFamily,
  family: 'granite',
  name: 'granite',
  hf: ['GraniteForCausalLM'],
  modelType: 'granite',
  config: [...denseConfig(graniteDefaults), ...graniteConfig],
  tensors: [...embeddingTensors, ...denseBlockTensors({ permute: true })],
  network: (read) => {
    const eps = readEps(read);
    const attention = graniteAttention(read);
    const own = readGatedMlp(read);
    // Of Granite 4 the MLP is what stands beside experts in others, and has a width of its own.
    const mlp = { ...own, width: read.optionalInteger('expert_shared_feed_forward_length', own.width, 1, maxWidth) };
    return graniteNetwork(read, () => preNormBlock(eps, attention, mlp));
  },
  awq: densePairs,
};
