// Blocks with layer norms in place of RMS norms, and MLPs without a gate: GPT-2 and those who came after it.
import type { FeedForwardSpec } from '../forward/feed-forwards/index.ts';
import type { PlainMlpSpec } from '../forward/feed-forwards/plain-mlp/spec.ts';
import type { BlockSpec, RoomSpec } from '../forward/network.ts';
import { layerNorm, type NormSpec } from '../forward/norm.ts';
import type { NetworkReader } from '../network-reader.ts';
import type { TensorRule } from './architecture.ts';
import { readFeedForwardLength } from './decoder.ts';
import { inBlock } from './dense.ts';
import type { Dimension } from './dimensions.ts';
import type { Presence } from './tensor-rule.ts';

/** Llama's block with layer norms. */
export const layerNormBlock = (eps: number, mixer: RoomSpec, mlp: FeedForwardSpec): BlockSpec => ({
  subLayers: [
    { before: layerNorm('attn_norm', eps), parts: [{ room: mixer }] },
    { before: layerNorm('ffn_norm', eps), parts: [{ room: mlp }] },
  ],
});

export const readPlainMlp = (read: NetworkReader, activation: PlainMlpSpec['activation']): PlainMlpSpec => ({
  kind: 'plain-mlp',
  width: readFeedForwardLength(read),
  activation,
  biased: read.hasTensor('blk.0.ffn_up.bias'),
});

/** A layer norm of every block: weight and bias. */
export const normWithBias = (hf: string, gguf: string): TensorRule[] => [
  inBlock(`${hf}.weight`, `${gguf}.weight`, ['embd']),
  inBlock(`${hf}.bias`, `${gguf}.bias`, ['embd']),
];

/** A matrix of every block with its bias. */
export const biased = (
  hf: string,
  gguf: string,
  shape: readonly Dimension[],
  presence: Presence = 'always',
): TensorRule[] => [
  inBlock(`${hf}.weight`, `${gguf}.weight`, shape),
  inBlock(`${hf}.bias`, `${gguf}.bias`, shape.slice(0, 1), { presence }),
];

/** Attention and MLP read the stream that enters the block. @param own norm of the MLP; none: that of attention */
export const parallelBlock = (norm: NormSpec, mixer: RoomSpec, mlp: FeedForwardSpec, own?: NormSpec): BlockSpec => ({
  subLayers: [{ before: norm, parts: [{ room: mixer }, { room: mlp, ...(own && { before: own }) }] }],
});
