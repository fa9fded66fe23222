// EmbeddingGemma: Gemma 3's text model whose tokens see the whole text, or half a window on each side.
// Source: llama.cpp conversion/gemma.py EmbeddingGemma; transformers models/gemma3 (use_bidirectional_attention).
import type { BlockSpec } from '../forward/network.ts';
import type { Architecture } from './architecture.ts';
import { gemma3Family, gemma3Network } from './gemma3.ts';

/** The window of config.json and GGUF counts both sides: half of it lies before a token, half behind. */
const halvedWindow = ({ subLayers }: BlockSpec): BlockSpec => ({
  subLayers: subLayers.map((subLayer) => ({
    ...subLayer,
    parts: subLayer.parts.map((part) =>
      part.room.kind === 'attention' && part.room.window !== undefined
        ? { ...part, room: { ...part.room, window: Math.floor(part.room.window / 2) + 1 } }
        : part,
    ),
  })),
});

export const gemmaEmbedding: Architecture = {
  ...gemma3Family,
  family: 'gemma-embedding',
  name: 'gemma-embedding',
  hf: ['Gemma3TextModel'],
  modelType: 'gemma3_text',
  fixed: [
    ...gemma3Family.fixed,
    { key: 'use_bidirectional_attention', values: [true], missing: false, why: 'every token sees the whole text' },
  ],
  network: (read) => {
    const network = gemma3Network(read, { causal: false });
    return {
      ...network,
      blocks: network.blocks.map(halvedWindow),
      output: { norm: network.output.norm, tied: false, headless: true },
    };
  },
};
