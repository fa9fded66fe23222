// A network as data: what an architecture record makes of a file's metadata, and all that the forward pass knows of a
// model. Everything stands per block, because models of today mix kinds of blocks:
//
//   x = embedding · scale                                        [T, C], the residual stream
//   for every sub-layer of every block:
//     n = before(x)                                              what all its parts read, unless a part norms x itself
//     x += scale · after(Σ over parts: after(part(n)))           one part, or several that run in parallel
//     x = onStream(x)                                            only in post-norm networks
//     x = streamScale · x                                        where a block ends with such a number
//   hidden = norm(x)
//   logits = cap(scale · (hidden · output matrix + bias))
//
// Draft blocks guess further tokens from what the last block leaves: with `next` the token that follows,
//
//   x = join · [embeddingNorm(embedding[next]), hiddenNorm(hidden)]
//   the draft block's sub-layers, as above
//   hidden = norm(x), for the next draft block; logits as above: they are of the token after `next`
//
// A part is a mixer (it looks at other tokens) or a feed-forward (it does not); each kind is a room (room.ts).
import type { FeedForwardSpec } from './feed-forwards/index.ts';
import type { MixerSpec } from './mixers/index.ts';
import type { NormSpec } from './norm.ts';
import type { PoolingSpec } from './pooling.ts';

export type RoomSpec = MixerSpec | FeedForwardSpec;

export interface PartSpec {
  readonly room: RoomSpec;
  /** Of the residual stream, for this part alone; without it the part reads what the sub-layer's `before` gives. */
  readonly before?: NormSpec;
  /** Of what the part gives. */
  readonly after?: NormSpec;
}

export interface SubLayerSpec {
  /** Norm of the residual stream; none: the parts norm it themselves, or read it as it is. */
  readonly before?: NormSpec;
  /** In parallel: all of them read the stream that enters the sub-layer, and their results are added. */
  readonly parts: readonly PartSpec[];
  /** Norm of the sum of the parts. */
  readonly after?: NormSpec;
  /** Multiplies what is added to the residual stream; 1 when not given. */
  readonly scale?: number;
  /** Name of a learned number within the block that then multiplies the whole stream. */
  readonly streamScale?: string;
  /** Norm of the residual stream itself, when it has been added to (BERT). */
  readonly onStream?: NormSpec;
}

export interface BlockSpec {
  /** One after the other. The usual block has two, a block of a hybrid may have one. */
  readonly subLayers: readonly SubLayerSpec[];
}

/** A block behind the others (multi-token prediction); norms and matrices are called `nextn.*` within it. */
export interface DraftSpec {
  readonly block: BlockSpec;
  readonly embeddingNorm: NormSpec;
  readonly hiddenNorm: NormSpec;
  /** None: that of the network's output. */
  readonly norm?: NormSpec;
  /** It has an embedding of its own. */
  readonly ownEmbedding: boolean;
  /** It has an output matrix of its own. */
  readonly ownOutput: boolean;
}

export interface EmbeddingSpec {
  /** Multiplies the rows of the table; 1 when not given. */
  readonly scale?: number;
  /** Learned positions: so many, each with a row that is added. There are no later ones. */
  readonly positions?: number;
  /** Kinds of tokens, each with a row; that of the first is added. */
  readonly tokenTypes?: number;
  /** Norm of the sum; `name` is a whole name here. */
  readonly norm?: NormSpec;
  readonly perLayer?: PerLayerInputs;
}

/** Every block has an input of its own beside the residual stream (per-layer-inputs.ts). */
export interface PerLayerInputs {
  /** Scalars for each block. */
  readonly width: number;
  readonly eps: number;
}

export interface OutputSpec {
  /** `name` is a whole name here. */
  readonly norm?: NormSpec;
  /** The embedding is the output matrix too. */
  readonly tied: boolean;
  /** The output matrix has a bias (`output.bias`). */
  readonly biased?: boolean;
  /** There is no output matrix: the network gives hidden states and no logits. */
  readonly headless?: true;
  /** Multiplies the logits; 1 when not given. */
  readonly scale?: number;
  /** Then logits become cap · tanh(logits / cap). */
  readonly softCap?: number;
}

export interface Network {
  /** `general.architecture`, for messages. */
  readonly architecture: string;
  readonly vocabSize: number;
  /** Trained context, in tokens. */
  readonly contextLength: number;
  /** C */
  readonly embeddingLength: number;
  readonly embedding: EmbeddingSpec;
  readonly blocks: readonly BlockSpec[];
  readonly output: OutputSpec;
  /** How the states of a text become one vector; undefined: nobody says. */
  readonly pooling?: PoolingSpec;
  /** Numbered on behind `blocks`; empty for most models. */
  readonly draft: readonly DraftSpec[];
  /** Tensors that files may hold and nothing reads. */
  readonly unused?: readonly string[];
}

/** Every part of a block, in order. */
export const partsOf = ({ subLayers }: BlockSpec): PartSpec[] => subLayers.flatMap(({ parts }) => parts);
