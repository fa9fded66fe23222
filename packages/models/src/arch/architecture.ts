// What an architecture record says. One record is the whole knowledge quern has of an architecture on disk: which
// config.json it answers to, which GGUF keys and tensors it becomes, how large each tensor must be, and the shape of
// its block. Conversion, loading, preflight and inspection all read the same record.

import type { GgufValue } from '@quern/gguf';
import type { Network } from '../forward/network.ts';
import type { NetworkReader } from '../network-reader.ts';

/** How many scalars a tensor axis has, named by what it counts; `dimensionsOf` gives the numbers. */
export type Dimension =
  | 'vocab'
  | 'embd'
  | 'ff'
  | 'q'
  | 'k'
  | 'v'
  | 'attnOut'
  | 'headDim'
  | 'ropePairs'
  | 'experts'
  | 'expertFf'
  | 'sharedFf'
  | 'one';

/**
 * When a tensor belongs to a model.
 * - `always`: it must be there.
 * - `untied`: the output matrix: required unless `tie_word_embeddings`, and kept when a tied checkpoint has it.
 * - `attentionBias`: only when config.json says `attention_bias: true`.
 * - `llama3Rope`: made by the lens when the rope type is `llama3`; no checkpoint stores it.
 */
export type Presence = 'always' | 'untied' | 'attentionBias' | 'llama3Rope';

/** One tensor, both names. `{i}` stands for the block number. */
export interface TensorRule {
  /**
   * Name in the checkpoint; undefined when the lens computes the tensor. With `{j}` the checkpoint has one tensor per
   * expert, of the shape without its first dimension, and GGUF stacks them.
   */
  hf?: string;
  /** Another name that transformers gives to the same tensor. */
  alias?: string;
  /** With `{j}`: the tensor of the checkpoint that may hold all experts, and which of its `of` parts per expert this is. */
  fused?: { hf: string; part: number; of: number };
  gguf: string;
  /** Row-major, innermost last, as everywhere in quern. */
  shape: readonly Dimension[];
  presence: Presence;
  /**
   * GGUF's `llama` architecture rotates neighbouring pairs (rope style `norm`), transformers rotates halves. The rows of
   * q and k are reordered within each head so that both mean the same (LlamaModel.permute of convert_hf_to_gguf.py).
   */
  permute?: 'q' | 'k';
}

/** One scalar of config.json and the GGUF keys it becomes, without the `<arch>.` prefix. */
export interface ConfigRule {
  hf: string;
  /** Another name that transformers takes for the same key (`attribute_map`). */
  alias?: string;
  gguf: readonly string[];
  type: 'uint32' | 'float32';
  /** Above it the value is a mistake or an attack; 2^30 when not given. */
  max?: number;
  /**
   * What transformers' config class fills in when the key is absent or null. Without it the key is required;
   * `undefined` as a result means that no GGUF key is written.
   */
  missing?: (config: Readonly<Record<string, unknown>>) => number | undefined;
}

/** A config key that this architecture supports with certain values only: any other value would change the result. */
export interface FixedConfig {
  key: string;
  /** Accepted values, compared as JSON. */
  values: readonly unknown[];
  /** What transformers takes for an absent key or null, where that is not accepted either. */
  missing?: string | number | boolean;
  why: string;
}

export type RopeType = 'default' | 'linear' | 'yarn' | 'llama3';

/**
 * Weights that read one input, and what makes that input. Dividing the maker by s per channel and multiplying the
 * columns of all readers by s leaves the network as it is; AWQ looks for the s that quantized weights like best
 * (AutoAWQ models/*.py get_layers_for_scaling). Names as in GGUF, within a block and without `.weight`.
 */
export interface ScalingPair {
  /** What makes the input: a norm, or a matrix whose last rows are the channels. */
  prev: string;
  /** The readers that are quantized. A stack of experts behind a stack has one s per expert. */
  layers: readonly string[];
  /** Readers that are not quantized, but must be multiplied all the same: routers and gates. */
  followers?: readonly string[];
  /** Whose output shall stay what it is: that of the block's sub-layer with the readers, or of the one reader. */
  inspect: 'sub-layer' | 'layer';
  /** Only where `prev` and the reader have one shape: v feeds o channel by channel only without grouped heads. */
  sameShape?: true;
}

export interface Architecture {
  /** A name for people; unique in the table. */
  family: string;
  /** `general.architecture` of GGUF. */
  name: string;
  /** `architectures[0]` of config.json. */
  hf: readonly string[];
  /** `model_type` of config.json. */
  modelType: string;
  /** In the order convert_hf_to_gguf.py writes the keys. `rope` and `fileType` mark where those groups stand. */
  config: readonly (ConfigRule | 'rope' | 'fileType')[];
  fixed: readonly FixedConfig[];
  ropeTypes: readonly RopeType[];
  /** Rope base when config.json gives none (transformers' `default_theta`); 10000 when not given. */
  ropeTheta?: number;
  /** Writes `attention.sliding_window` when config.json has a window shorter than the context. */
  slidingWindow: boolean;
  tensors: readonly TensorRule[];
  /** Files of this record have experts (records may share a GGUF name). */
  experts?: boolean;
  /** What is computed, from what a file says. */
  network: (read: NetworkReader) => Network;
  /** In the order in which AWQ searches them. */
  awq: readonly ScalingPair[];
  /** Tokenizer keys that the converter sets for certain vocabulary sizes, over what the tokenizer files say. */
  tokenizerFixes?: ReadonlyMap<number, readonly [key: string, value: GgufValue][]>;
}
