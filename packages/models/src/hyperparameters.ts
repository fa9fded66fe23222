// The numbers of a network, typed and checked, read from GGUF metadata alone: a lens writes the same keys as a file has,
// so there is one reader for both. Keys and defaults: gguf-py constants.py, llama.cpp llama-model.cpp load_hparams.
import type { ModelView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import type { Architecture } from './arch/architecture.ts';
import { maxBlocks } from './arch/dense.ts';
import { architectureByGgufName } from './arch/index.ts';
import { metadataReader } from './metadata-reader.ts';

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

export interface Hyperparameters {
  architecture: string;
  vocabSize: number;
  /** Trained context, in tokens. */
  contextLength: number;
  embeddingLength: number;
  blockCount: number;
  feedForwardLength: number;
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

/** The architecture record of a model, whatever its container. @throws QuernError `unknown-architecture` */
export function architectureOf(view: ModelView): Architecture {
  return architectureByGgufName(metadataReader(view).string('general.architecture'), view.path);
}

/**
 * Reads and checks the hyper-parameters.
 * @throws QuernError `metadata-missing`, `metadata-bad-type`, `metadata-bad-value`, `unsupported-model`,
 *   `unknown-architecture`
 */
export function hyperparameters(view: ModelView): Hyperparameters {
  const architecture = architectureOf(view);
  const read = metadataReader(view, `${architecture.name}.`);
  const experts = read.optionalInteger('expert_count', 0, 0, 65536);
  if (experts > 0) {
    throw new QuernError(
      'unsupported-model',
      `The model has ${experts} experts per layer; only dense models are supported.`,
      {
        file: view.path,
        remedy: `Supported: dense models of ${architecture.name}.`,
      },
    );
  }
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
  const slidingWindow = read.optionalInteger('attention.sliding_window', 0, 0, 1 << 30);
  return {
    architecture: architecture.name,
    vocabSize: vocabularySize(view),
    contextLength,
    embeddingLength,
    blockCount: read.integer('block_count', 1, maxBlocks),
    feedForwardLength: read.uniformInteger('feed_forward_length', 1, 1 << 24),
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
