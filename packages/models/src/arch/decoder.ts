// From metadata to specs, for records of decoders: the keys that nearly all architectures share, read and checked once.
// Keys and defaults: gguf-py constants.py, llama.cpp llama-model.cpp load_hparams.

import type { FeedForwardSpec } from '../forward/feed-forwards/index.ts';
import type { AttentionSpec } from '../forward/mixers/attention/spec.ts';
import type { BlockSpec, DraftSpec, Network, OutputSpec, RoomSpec, SubLayerSpec } from '../forward/network.ts';
import { type NormSpec, rmsNorm } from '../forward/norm.ts';
import type { RopeScaling, RopeSpec } from '../forward/rope.ts';
import type { NetworkReader } from '../network-reader.ts';
import { maxBlocks } from './model-numbers.ts';

/** Of a feed-forward layer: far above any model, far below what could be allocated. */
export const maxWidth = 1 << 24;

export const readEps = (read: NetworkReader): number => read.number('attention.layer_norm_rms_epsilon', 0, 1);
export const readLayerNormEps = (read: NetworkReader): number => read.number('attention.layer_norm_epsilon', 0, 1);

/**
 * A network with an output matrix.
 * @param norm before it: an RMS norm when not given
 */
export const decoder = (
  read: NetworkReader,
  block: (index: number) => BlockSpec,
  norm: NormSpec = rmsNorm('output_norm', readEps(read)),
): Network =>
  readNetwork(read, block, {
    norm,
    tied: !read.hasTensor('output.weight'),
    ...(read.hasTensor('output.bias') && { biased: true }),
  });

/** `block_count` blocks, the last `nextn_predict_layers` of which are draft blocks. */
export function readNetwork(read: NetworkReader, block: (index: number) => BlockSpec, output: OutputSpec): Network {
  const all = readBlocks(read);
  const drafts = read.optionalInteger('nextn_predict_layers', 0, 0, all - 1);
  const main = all - drafts;
  return {
    architecture: read.architecture,
    vocabSize: read.vocabSize,
    contextLength: contextLengthOf(read),
    embeddingLength: embeddingLengthOf(read),
    embedding: {},
    blocks: Array.from({ length: main }, (_, index) => block(index)),
    output,
    draft: Array.from({ length: drafts }, (_, index) =>
      readDraft(read, main + index, block(main + index), output.norm!.eps),
    ),
  };
}

/** What a block needs to be a draft block. */
function readDraft(read: NetworkReader, index: number, block: BlockSpec, eps: number): DraftSpec {
  const has = (name: string) => read.hasTensor(`blk.${index}.nextn.${name}.weight`);
  return {
    block,
    embeddingNorm: rmsNorm('nextn.enorm', eps),
    hiddenNorm: rmsNorm('nextn.hnorm', eps),
    ...(has('shared_head_norm') && { norm: rmsNorm('nextn.shared_head_norm', eps) }),
    ownEmbedding: has('embed_tokens'),
    ownOutput: has('shared_head_head'),
  };
}

export const readBlocks = (read: NetworkReader): number => read.integer('block_count', 1, maxBlocks);
const embeddingLengthOf = (read: NetworkReader): number => read.integer('embedding_length', 1, 1 << 20);
const contextLengthOf = (read: NetworkReader): number => read.integer('context_length', 1, 1 << 30);

/** A norm before the mixer, and one before what stands in place of the MLP. */
const twoNorms =
  (second: string) =>
  (eps: number, mixer: RoomSpec, ...feedForwards: readonly FeedForwardSpec[]): BlockSpec => {
    const subLayer = (norm: string, rooms: readonly RoomSpec[]): SubLayerSpec => ({
      before: rmsNorm(norm, eps),
      parts: rooms.map((room) => ({ room })),
    });
    return { subLayers: [subLayer('attn_norm', [mixer]), subLayer(second, feedForwards)] };
  };

/** Llama's block. */
export const preNormBlock = twoNorms('ffn_norm');

/** The same, its second norm named after what stands before it. */
export const postAttentionNormBlock = twoNorms('post_attention_norm');

/** A norm before and one after each of the two. */
export function normedBlock(eps: number, mixer: RoomSpec, feedForward: FeedForwardSpec): BlockSpec {
  const subLayer = (before: string, after: string, room: RoomSpec): SubLayerSpec => ({
    before: rmsNorm(before, eps),
    parts: [{ room }],
    after: rmsNorm(after, eps),
  });
  return {
    subLayers: [
      subLayer('attn_norm', 'post_attention_norm', mixer),
      subLayer('ffn_norm', 'post_ffw_norm', feedForward),
    ],
  };
}

/** Norms after the two, and none before them. */
export function postNormBlock(eps: number, mixer: RoomSpec, feedForward: FeedForwardSpec): BlockSpec {
  const subLayer = (after: string, room: RoomSpec): SubLayerSpec => ({ parts: [{ room }], after: rmsNorm(after, eps) });
  return { subLayers: [subLayer('post_attention_norm', mixer), subLayer('post_ffw_norm', feedForward)] };
}

/** What the architecture fixes of attention. */
interface AttentionOfArchitecture extends Pick<AttentionSpec, 'qkNorm' | 'causal'> {
  /** None: no rotary positions. */
  style?: RopeSpec['style'];
  yarnTruncate?: boolean;
  /** Where the keys are lists: those of the block. */
  heads?: number;
  kvHeads?: number;
  /** A block that has attention: which tensors it has no key says; 0 when not given. */
  block?: number;
}

/** Attention with the same numbers in every block that has it. */
export function readAttention(
  read: NetworkReader,
  { style, yarnTruncate, heads: ofBlock, kvHeads: kvOfBlock, block = 0, ...rest }: AttentionOfArchitecture,
): AttentionSpec {
  const { heads, kvHeads, keyLength, valueLength } = readHeads(read, ofBlock, kvOfBlock);
  const has = (name: string) => read.hasTensor(`blk.${block}.${name}`);
  const window = read.optionalInteger('attention.sliding_window', 0, 0, 1 << 30);
  return {
    kind: 'attention',
    heads,
    kvHeads,
    keyLength,
    valueLength,
    scale: 1 / Math.sqrt(keyLength),
    ...(window > 0 && { window }),
    ...(style && { rope: readRope(read, style, keyLength, yarnTruncate) }),
    ...(has('attn_qkv.weight') && { fused: true }),
    biases: {
      qkv: has('attn_q.bias') || has('attn_qkv.bias'),
      output: has('attn_output.bias'),
    },
    ...rest,
  };
}

function readHeads(
  read: NetworkReader,
  ofBlock?: number,
  kvOfBlock?: number,
): Pick<AttentionSpec, 'heads' | 'kvHeads' | 'keyLength' | 'valueLength'> {
  const width = embeddingLengthOf(read);
  const heads = ofBlock ?? read.uniformInteger('attention.head_count', 1, 1 << 16);
  const told = () =>
    read.has('attention.head_count_kv') ? read.uniformInteger('attention.head_count_kv', 1, 1 << 16) : heads;
  const kvHeads = kvOfBlock ?? told();
  if (heads % kvHeads !== 0)
    read.fail('attention.head_count_kv', `${kvHeads} key-value heads do not divide ${heads} heads`);
  if (!read.has('attention.key_length') && width % heads !== 0)
    read.fail('attention.head_count', `${heads} heads do not divide the embedding length ${width}`);
  const evenHead = Math.floor(width / heads);
  return {
    heads,
    kvHeads,
    keyLength: read.optionalInteger('attention.key_length', evenHead, 1, 1 << 16),
    valueLength: read.optionalInteger('attention.value_length', evenHead, 1, 1 << 16),
  };
}

/** @param yarnTruncate whether yarn rounds its range where the file does not say */
export function readRope(
  read: NetworkReader,
  style: RopeSpec['style'],
  keyLength: number,
  yarnTruncate = true,
): RopeSpec {
  const dims = read.optionalInteger('rope.dimension_count', keyLength, 2, keyLength);
  if (dims % 2 !== 0) read.fail('rope.dimension_count', `${dims} is odd`);
  const scaling = readRopeScaling(read, yarnTruncate);
  return {
    base: read.optionalNumber('rope.freq_base', 10000, 1, 1e12),
    dims,
    style,
    scaling,
    ...(read.hasTensor('rope_freqs.weight') && { divisors: 'rope_freqs.weight' }),
    ...(read.hasTensor('rope_factors_long.weight') && { byContext: factorsByContext(scaling) }),
  };
}

/**
 * Rope of blocks with a window that have a base of their own, and may have another part of the head that turns: positions
 * are not scaled there.
 */
export function readWindowRope(read: NetworkReader, full: RopeSpec, base: number): RopeSpec {
  const longest = read.optionalInteger('attention.key_length', full.dims, 1, 1 << 16);
  const dims = read.optionalInteger('rope.dimension_count_swa', full.dims, 2, longest);
  if (dims % 2 !== 0) read.fail('rope.dimension_count_swa', `${dims} is odd`);
  return {
    base: read.optionalNumber('rope.freq_base_swa', base, 1, 1e12),
    dims,
    style: full.style,
    scaling: { ...full.scaling, type: 'none', factor: 1, yarnExtFactor: 0 },
  };
}

/** LongRoPE (arXiv 2402.13753): frequencies for texts of the original context, and others for longer ones. */
const factorsByContext = ({ originalContext }: RopeScaling): RopeSpec['byContext'] => ({
  short: 'rope_factors_short.weight',
  long: 'rope_factors_long.weight',
  above: originalContext,
});

function readRopeScaling(read: NetworkReader, yarnTruncate: boolean): RopeScaling {
  // `rope.scale_linear` is the key of files from before `rope.scaling.*`.
  const old = read.optionalNumber('rope.scale_linear', 1, 0, 1e6) || 1;
  const factor = read.optionalNumber('rope.scaling.factor', old, 0, 1e6) || 1;
  const named = read.optionalString('rope.scaling.type');
  // The factors of longrope are tensors.
  const type = named === 'longrope' ? 'none' : (named ?? (factor === 1 ? 'none' : 'linear'));
  if (type !== 'none' && type !== 'linear' && type !== 'yarn')
    return read.fail('rope.scaling.type', `rope scaling "${type}" is not supported (supported: none, linear, yarn)`);
  const number = (key: string, fallback: number, min: number): number =>
    read.optionalNumber(`rope.scaling.${key}`, fallback, min, 1e6);
  return {
    type,
    factor: type === 'none' ? 1 : factor,
    originalContext: read.optionalInteger('rope.scaling.original_context_length', contextLengthOf(read), 1, 1 << 30),
    attnFactor: number('attn_factor', 1, 0),
    yarnExtFactor: number('yarn_ext_factor', type === 'yarn' ? 1 : 0, -1e6),
    ...(read.has('rope.scaling.yarn_attn_factor') && { yarnAttnFactor: number('yarn_attn_factor', 1, 0) }),
    yarnBetaFast: number('yarn_beta_fast', 32, 0),
    yarnBetaSlow: number('yarn_beta_slow', 1, 0),
    ...(!read.optionalSwitch('rope.scaling.yarn_truncate', yarnTruncate) && { yarnTruncate: false }),
    yarnLogMultiplier: number('yarn_log_multiplier', 0, -1e6),
  };
}

export const readFeedForwardLength = (read: NetworkReader): number =>
  read.uniformInteger('feed_forward_length', 1, maxWidth);

export const readGatedMlp = (read: NetworkReader): FeedForwardSpec => ({
  kind: 'gated-mlp',
  width: readFeedForwardLength(read),
  activation: { act: 'silu' },
});
