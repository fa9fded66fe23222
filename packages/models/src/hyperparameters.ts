// The numbers of a network, typed and checked, read from GGUF metadata alone: a lens writes the same keys as a file has,
// so there is one reader for both. Keys and defaults: gguf-py constants.py, llama.cpp llama-model.cpp load_hparams.
import type { ModelView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import type { Architecture } from './arch/architecture.ts';
import { maxBlocks } from './arch/dense.ts';
import { architectureByGgufName } from './arch/index.ts';
import { maxExperts } from './arch/mixture.ts';
import { type MetadataReader, metadataReader } from './metadata-reader.ts';

/** Of a feed-forward layer: far above any model, far below what could be allocated. */
const maxWidth = 1 << 24;

/** How positions beyond the trained context are mapped (llama.cpp `llama_rope_scaling_type`). */
export interface RopeScaling {
  type: 'none' | 'linear' | 'yarn';
  /** Context extension: positions are divided by it. 1 for `none`. */
  factor: number;
  /** Context length before extension, in tokens. */
  originalContext: number;
  /** Multiplies cos and sin (`rope.scaling.attn_factor`). 1 unless the file says otherwise. */
  attnFactor: number;
  /** yarn: mix between interpolation (0) and extrapolation (1). */
  yarnExtFactor: number;
  /** yarn: the whole factor on cos and sin; undefined: 0.1 · ln(factor) + 1. */
  yarnAttnFactor?: number;
  yarnBetaFast: number;
  yarnBetaSlow: number;
  /** yarn: 0 when the file has none. */
  yarnLogMultiplier: number;
}

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

export interface Hyperparameters {
  architecture: string;
  vocabSize: number;
  /** Trained context, in tokens. */
  contextLength: number;
  embeddingLength: number;
  blockCount: number;
  /** Width of a dense MLP. */
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
  /** How many scalars of each head rope rotates (even, ≤ keyLength). */
  ropeDimensionCount: number;
  ropeFreqBase: number;
  ropeScaling: RopeScaling;
  /** A token attends to itself and the `slidingWindow - 1` tokens before it; undefined: to all. */
  slidingWindow?: number;
  ropeStyle: 'norm' | 'neox';
  /** RMS norm of every q and k head before rope (`attn_q_norm`, `attn_k_norm`). */
  qkNorm: boolean;
  /** q, k and v have biases. */
  attnBias: boolean;
  /** The attention output projection has a bias. */
  attnOutputBias: boolean;
}

/**
 * The architecture record of a model, whatever its container.
 * @throws QuernError `unknown-architecture`, `unsupported-model`, `metadata-missing`, `metadata-bad-type`
 */
export function architectureOf(view: ModelView): Architecture {
  const read = metadataReader(view);
  const name = read.string('general.architecture');
  const hasExperts = read.optionalInteger(`${name}.expert_count`, 0, 0, maxExperts) > 0;
  return architectureByGgufName(name, hasExperts, view.path);
}

/**
 * Reads and checks the hyper-parameters.
 * @throws QuernError `metadata-missing`, `metadata-bad-type`, `metadata-bad-value`, `unsupported-model`,
 *   `unknown-architecture`
 */
export function hyperparameters(view: ModelView): Hyperparameters {
  const architecture = architectureOf(view);
  const read = metadataReader(view, `${architecture.name}.`);
  const embeddingLength = read.integer('embedding_length', 1, 1 << 20);
  const headCount = read.uniformInteger('attention.head_count', 1, 1 << 16);
  const headCountKv = read.has('attention.head_count_kv')
    ? read.uniformInteger('attention.head_count_kv', 1, 1 << 16)
    : headCount;
  if (headCount % headCountKv !== 0) {
    read.fail('attention.head_count_kv', `${headCountKv} key-value heads do not divide ${headCount} heads`);
  }
  if (!read.has('attention.key_length') && embeddingLength % headCount !== 0) {
    read.fail('attention.head_count', `${headCount} heads do not divide the embedding length ${embeddingLength}`);
  }
  const evenHead = Math.floor(embeddingLength / headCount);
  const keyLength = read.optionalInteger('attention.key_length', evenHead, 1, 1 << 16);
  const valueLength = read.optionalInteger('attention.value_length', evenHead, 1, 1 << 16);
  const ropeDimensionCount = read.optionalInteger('rope.dimension_count', keyLength, 2, keyLength);
  if (ropeDimensionCount % 2 !== 0) read.fail('rope.dimension_count', `${ropeDimensionCount} is odd`);
  const contextLength = read.integer('context_length', 1, 1 << 30);
  const feedForwardLength = read.uniformInteger('feed_forward_length', 1, maxWidth);
  const slidingWindow = read.optionalInteger('attention.sliding_window', 0, 0, 1 << 30);
  return {
    architecture: architecture.name,
    vocabSize: vocabularySize(view),
    contextLength,
    embeddingLength,
    blockCount: read.integer('block_count', 1, maxBlocks),
    feedForwardLength,
    ...(architecture.block.experts ? { experts: expertNumbers(read, architecture, feedForwardLength) } : {}),
    headCount,
    headCountKv,
    keyLength,
    valueLength,
    rmsEps: read.number('attention.layer_norm_rms_epsilon', 0, 1),
    ropeDimensionCount,
    ropeFreqBase: read.optionalNumber('rope.freq_base', 10000, 1, 1e12),
    ropeScaling: ropeScaling(view, architecture, contextLength),
    ...(slidingWindow > 0 ? { slidingWindow } : {}),
    ropeStyle: architecture.block.rope,
    qkNorm: architecture.block.qkNorm,
    attnBias: view.tensors.has('blk.0.attn_q.bias'),
    attnOutputBias: view.tensors.has('blk.0.attn_output.bias'),
  };
}

/**
 * llama.cpp reads no widths for the experts of `llama`, and for the others falls back on the same divisions
 * (src/models/qwen2moe.cpp, qwen3moe.cpp).
 */
function expertNumbers(
  read: MetadataReader,
  { name, block, tensors }: Architecture,
  feedForwardLength: number,
): Experts {
  const count = read.integer('expert_count', 1, maxExperts);
  const used = read.uniformInteger('expert_used_count', 1, count);
  if (read.optionalInteger('expert_group_count', 1, 0, count) > 1)
    read.fail('expert_group_count', 'groups of experts are not supported');
  if (![0, 1].includes(read.optionalNumber('expert_weights_scale', 1, 0, 1e6)))
    read.fail('expert_weights_scale', 'scaled expert weights are not supported');
  // `llama_expert_gating_func_type`: 0 none given, 1 softmax.
  if (read.optionalInteger('expert_gating_func', 1, 0, 255) > 1)
    read.fail('expert_gating_func', 'only softmax routers are supported');
  const fallback = name === 'llama' ? feedForwardLength : Math.max(1, Math.floor(feedForwardLength / used));
  const shared = tensors.some(({ shape }) => shape.includes('sharedFf'));
  return {
    count,
    used,
    feedForwardLength: read.has('expert_feed_forward_length')
      ? read.uniformInteger('expert_feed_forward_length', 1, maxWidth)
      : fallback,
    sharedFeedForwardLength: shared
      ? read.optionalInteger('expert_shared_feed_forward_length', feedForwardLength, 1, maxWidth)
      : 0,
    weightsOver: block.experts!.weightsOver,
  };
}

function ropeScaling(view: ModelView, architecture: Architecture, contextLength: number): RopeScaling {
  const read = metadataReader(view, `${architecture.name}.rope.`);
  // `rope.scale_linear` is the key of files from before `rope.scaling.*`.
  const old = read.optionalNumber('scale_linear', 1, 0, 1e6) || 1;
  const factor = read.optionalNumber('scaling.factor', old, 0, 1e6) || 1;
  const named = read.optionalString('scaling.type');
  const type = named ?? (factor === 1 ? 'none' : 'linear');
  if (type !== 'none' && type !== 'linear' && type !== 'yarn') {
    return read.fail('scaling.type', `rope scaling "${type}" is not supported (supported: none, linear, yarn)`);
  }
  return {
    type,
    factor: type === 'none' ? 1 : factor,
    originalContext: read.optionalInteger('scaling.original_context_length', contextLength, 1, 1 << 30),
    attnFactor: read.optionalNumber('scaling.attn_factor', 1, 0, 1e6),
    yarnExtFactor: read.optionalNumber('scaling.yarn_ext_factor', type === 'yarn' ? 1 : 0, -1e6, 1e6),
    ...(read.has('scaling.yarn_attn_factor')
      ? { yarnAttnFactor: read.optionalNumber('scaling.yarn_attn_factor', 1, 0, 1e6) }
      : {}),
    yarnBetaFast: read.optionalNumber('scaling.yarn_beta_fast', 32, 0, 1e6),
    yarnBetaSlow: read.optionalNumber('scaling.yarn_beta_slow', 1, 0, 1e6),
    yarnLogMultiplier: read.optionalNumber('scaling.yarn_log_multiplier', 0, -1e6, 1e6),
  };
}

/** `<arch>.vocab_size` is optional in GGUF: the embedding matrix has one row per token. */
function vocabularySize(view: ModelView): number {
  const embedding = view.tensors.get('token_embd.weight');
  if (!embedding) {
    throw new QuernError('tensor-missing', 'The model has no token embeddings.', {
      file: view.path,
      tensor: 'token_embd.weight',
    });
  }
  return embedding.rows;
}
