// SmolLM3: Llama's block, with no rotary positions in every fourth one. GGUF has no key for which: llama.cpp knows them.
import type { Architecture, Json } from './architecture.ts';
import { perBlock, show } from './config-error.ts';
import { decoder, preNormBlock, readAttention, readEps, readGatedMlp } from './decoder.ts';
import {
  denseBlockTensors,
  denseConfig,
  densePairs,
  embeddingTensors,
  evenHeadDim,
  fixedForDense,
  noWindow,
  windowKeys,
} from './dense.ts';

/** Reason why other layers without positions are refused. */
function otherLayers(config: Json): string | undefined {
  const { no_rope_layer_interval: interval = 4 } = config;
  const list = perBlock<number>(config, 'no_rope_layers');
  if (list) {
    const usual = list.every((rope, block) => rope === Number((block + 1) % 4 !== 0));
    return usual ? undefined : `"no_rope_layers": ${show(list)}`;
  }
  return interval === 4 ? undefined : `"no_rope_layer_interval": ${show(interval)}`;
}

export const smollm3: Architecture = {
  family: 'smollm3',
  name: 'smollm3',
  hf: ['SmolLM3ForCausalLM'],
  modelType: 'smollm3',
  config: [
    ...denseConfig({ contextLength: 32768, kvHeads: 4, rmsEps: 1e-6, headDim: () => undefined }),
    { hf: 'vocab_size', gguf: ['vocab_size'], type: 'uint32' },
    { hf: 'head_dim', gguf: ['rope.dimension_count'], type: 'uint32', missing: evenHeadDim },
  ],
  fixed: [
    ...fixedForDense,
    { key: 'attention_bias', values: [false], why: 'GGUF has no attention biases for smollm3' },
    noWindow,
  ],
  ignored: windowKeys,
  unsupported: (config) => {
    const found = otherLayers(config);
    return found && `${found} (llama.cpp leaves positions out of every fourth layer)`;
  },
  tied: true,
  rope: { types: ['default', 'linear', 'yarn'], theta: 2e6 },
  slidingWindow: false,
  tensors: [...embeddingTensors, ...denseBlockTensors({ permute: true })],
  network: (read) => {
    const eps = readEps(read);
    const attention = readAttention(read, { style: 'norm' });
    const { rope: _, ...placeless } = attention;
    const mlp = readGatedMlp(read);
    return decoder(read, (block) => preNormBlock(eps, (block + 1) % 4 === 0 ? placeless : attention, mlp));
  },
  awq: densePairs,
  preTokenizers: { 'llama-bpe': 'smaug-bpe' },
};
