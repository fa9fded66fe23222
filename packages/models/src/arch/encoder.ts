// From metadata to specs, for records of encoders (BERT and its descendants): every token sees the whole text, norms stand
// behind what is added, and there is no output matrix.
import type { FeedForwardSpec } from '../forward/feed-forwards/index.ts';
import type { AttentionSpec } from '../forward/mixers/attention/spec.ts';
import type { BlockSpec, EmbeddingSpec, Network } from '../forward/network.ts';
import { layerNorm } from '../forward/norm.ts';
import type { NetworkReader } from '../network-reader.ts';
import { readLayerNormEps, readNetwork } from './decoder.ts';

/** @param embedding beside kinds of tokens and the norm, which all have */
export const encoder = (read: NetworkReader, embedding: EmbeddingSpec, block: BlockSpec): Network => ({
  ...readNetwork(read, () => block, { tied: false, headless: true }),
  embedding: {
    ...embedding,
    tokenTypes: read.rowsOf('token_types.weight'),
    norm: layerNorm('token_embd_norm', readLayerNormEps(read)),
  },
});

/** Norms of the residual stream behind attention and behind the MLP. */
export function postNormBlock(eps: number, attention: AttentionSpec, mlp: FeedForwardSpec): BlockSpec {
  return {
    subLayers: [
      { parts: [{ room: attention }], onStream: layerNorm('attn_output_norm', eps) },
      { parts: [{ room: mlp }], onStream: layerNorm('layer_output_norm', eps) },
    ],
  };
}
