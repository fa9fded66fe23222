// The numbers of a network in short, for people and for whoever sizes something by them: what `inspect` prints and what a
// server reports. The forward pass reads none of them; it works on the network itself (forward/network.ts).
import type { ModelView } from '@quern/checkpoint';
import { maxWidth } from './arch/decoder.ts';
import { type Network, partsOf, type RoomSpec } from './forward/network.ts';
import type { RopeScaling } from './forward/rope.ts';
import { metadataReader } from './metadata-reader.ts';
import { networkOf } from './network-of.ts';

/** A mixture of experts in place of each block's MLP. */
export interface Experts {
  count: number;
  /** How many of them each token uses. */
  used: number;
  feedForwardLength: number;
  /** Width of the expert that every token uses beside its own; 0 when there is none. */
  sharedFeedForwardLength: number;
  /** Softmax of the router over all experts, or over the chosen ones alone. */
  weightsOver: 'all' | 'chosen';
}

/** Where blocks differ, attention is that of the first block that has it, rope that of blocks without a window. */
export interface Hyperparameters {
  architecture: string;
  vocabSize: number;
  /** Trained context, in tokens. */
  contextLength: number;
  embeddingLength: number;
  blockCount: number;
  /** Of the first dense MLP, or what the file says where there is none. */
  feedForwardLength: number;
  /** Undefined for dense models. */
  experts?: Experts;
  headCount: number;
  headCountKv: number;
  /** Scalars per head of q and k. */
  keyLength: number;
  /** Scalars per head of v. */
  valueLength: number;
  rmsEps: number;
  /** How many scalars of each head rope rotates (even, ≤ keyLength); 0 without rope. */
  ropeDimensionCount: number;
  ropeFreqBase: number;
  /** Of blocks with a window, where they have one of their own. */
  windowRopeFreqBase?: number;
  ropeScaling: RopeScaling;
  /** A token attends to itself and the `slidingWindow - 1` tokens before it; undefined: to all. */
  slidingWindow?: number;
  ropeStyle: 'norm' | 'neox';
  /** RMS norm of q and k (`attn_q_norm`, `attn_k_norm`). */
  qkNorm: boolean;
  /** q, k and v have biases. */
  attnBias: boolean;
  /** The attention output projection has a bias. */
  attnOutputBias: boolean;
}

const noScaling: RopeScaling = {
  type: 'none',
  factor: 1,
  originalContext: 0,
  attnFactor: 1,
  yarnExtFactor: 0,
  yarnBetaFast: 32,
  yarnBetaSlow: 1,
  yarnLogMultiplier: 0,
};

/**
 * Reads and checks the network of a file, and sums it up.
 * @param network of the view, where it is known already
 * @throws QuernError those of `networkOf`
 */
export function hyperparameters(view: ModelView, network = networkOf(view)): Hyperparameters {
  const rooms = network.blocks.flatMap(partsOf).map(({ room }) => room);
  const attentions = rooms.filter((room) => room.kind === 'attention');
  const [attention] = attentions;
  const turned = attentions.filter((room) => room.rope);
  const rope = (turned.find((room) => room.window === undefined) ?? turned[0])?.rope;
  const windowBase = turned.find((room) => room.window !== undefined)?.rope?.base;
  const window = attentions.find((room) => room.window)?.window;
  return {
    architecture: network.architecture,
    vocabSize: network.vocabSize,
    contextLength: network.contextLength,
    embeddingLength: network.embeddingLength,
    blockCount: network.blocks.length,
    feedForwardLength: feedForwardLength(view, network, rooms),
    ...expertsOf(rooms),
    headCount: attention?.heads ?? 0,
    headCountKv: attention?.kvHeads ?? 0,
    keyLength: attention?.keyLength ?? 0,
    valueLength: attention?.valueLength ?? 0,
    rmsEps: normEps(network),
    ropeDimensionCount: rope?.dims ?? 0,
    ropeFreqBase: rope?.base ?? 0,
    ...(windowBase !== undefined && windowBase !== rope?.base && { windowRopeFreqBase: windowBase }),
    ropeScaling: rope?.scaling ?? noScaling,
    ...(window !== undefined && { slidingWindow: window }),
    ropeStyle: rope?.style ?? 'norm',
    qkNorm: attention?.qkNorm !== undefined,
    attnBias: attention?.biases.qkv ?? false,
    attnOutputBias: attention?.biases.output ?? false,
  };
}

/** Of the norm before the output, or where there is none that of the first block. */
const normEps = ({ output, blocks }: Network): number =>
  (output.norm ?? blocks[0]?.subLayers.flatMap(({ before, onStream }) => before ?? onStream ?? [])[0])?.eps ?? 0;

function feedForwardLength(view: ModelView, network: Network, rooms: readonly RoomSpec[]): number {
  const dense = rooms.find((room) => room.kind === 'gated-mlp' || room.kind === 'plain-mlp');
  if (dense) return dense.width;
  const read = metadataReader(view, `${network.architecture}.`);
  if (!read.has('feed_forward_length')) return 0;
  return Math.max(...read.perLayer('feed_forward_length', network.blocks.length + network.draft.length, 0, maxWidth));
}

function expertsOf(rooms: readonly RoomSpec[]): { experts?: Experts } {
  const routed = rooms.find((room) => room.kind === 'experts');
  if (!routed) return {};
  const { count, used, width, router } = routed;
  const shared = rooms.find((room) => room.kind === 'shared-expert');
  return {
    experts: {
      count,
      used,
      feedForwardLength: width,
      sharedFeedForwardLength: shared?.width ?? 0,
      weightsOver: router.over,
    },
  };
}
