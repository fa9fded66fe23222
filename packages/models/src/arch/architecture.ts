// What an architecture record says. One record is the whole knowledge quern has of an architecture on disk: which
// config.json it answers to, which GGUF keys and tensors it becomes, how large each tensor must be, and the shape of
// its block. Conversion, loading, preflight, export and inspection all read the same record.

import type { GgufValue } from '@quern/gguf';
import type { Network } from '../forward/network.ts';
import type { NetworkReader } from '../network-reader.ts';
import type { ConfigRule, Facts, FixedConfig, Json, RopeRule } from './config-rule.ts';
import type { Dimensions } from './dimensions.ts';
import type { ModelNumbers } from './model-numbers.ts';
import type { TensorRule } from './tensor-rule.ts';

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

/** Blocks after the last one of the network, which predict the tokens after the next (multi-token prediction). */
export interface Draft {
  /** How many config.json promises, or the checkpoint shows. */
  count: (config: Json, facts: Pick<Facts, 'stores'>) => number;
  /** How the names of their tensors begin in a checkpoint, without `model.`. */
  start: (mainBlocks: number) => string;
}

/** Tensors that a checkpoint may hold and GGUF's text model has no place for. */
export interface LeftOut {
  /** How their names begin, without `model.`. */
  start: string;
  /** What they are, for the note: `vision tower`. */
  what: string;
}

/** What tells records of one GGUF name apart. */
export interface FileFacts {
  /** Whether there is a key under the architecture's name. */
  has(key: string): boolean;
  /** A number under the architecture's name. */
  number(key: string): number | undefined;
  /** `tokenizer.ggml.pre` */
  readonly preTokenizer: string | undefined;
  /** `tokenizer.ggml.model` */
  readonly tokenizerModel: string | undefined;
  hasTensor(name: string): boolean;
}

export interface Architecture {
  /** A name for people; unique in the table. */
  family: string;
  /** `general.architecture` of GGUF. */
  name: string;
  /** `architectures[0]` of config.json; the first is written back. */
  hf: readonly string[];
  /** `model_type` of config.json (of its `text_config`); the first is written back. */
  modelType: string | readonly string[];
  /** Where records share a class or a GGUF name: which configs are this one's. */
  when?: (config: Json) => boolean;
  /** Where records share a GGUF name and differ in what no tensor shows: whether a file is this one's. */
  isOf?: (file: FileFacts) => boolean;
  /** In the order convert_hf_to_gguf.py writes the keys. `rope` and `fileType` mark where those groups stand. */
  config: readonly (ConfigRule | 'rope' | 'fileType')[];
  fixed: readonly FixedConfig[];
  /** Keys of config.json that say nothing about the numbers of this architecture, beside those of `harmlessKeys`. */
  ignored?: readonly string[];
  /** What else of config.json is not supported, in words; undefined when all is well. */
  unsupported?: (config: Json) => string | undefined;
  /** Undefined: the network has no rotary positions. */
  rope?: RopeRule;
  /** Writes `attention.sliding_window` when config.json has a window shorter than the context. */
  slidingWindow: boolean;
  /** What an absent `tie_word_embeddings` means; false when not given. */
  tied?: boolean;
  tensors: readonly TensorRule[];
  /** Dimensions of its own that shapes name, or other values of standard ones. */
  sizes?: (numbers: ModelNumbers, block: number | undefined, standard: Dimensions) => Dimensions;
  /** Rows that no key of GGUF tells, by tensor, as config.json has them; of a file the tensors themselves tell. */
  rows?: (config: Json) => ReadonlyMap<string, number>;
  /** Beside the towers and projectors that every wrapper may have (`lens/left-out.ts`). */
  leftOut?: readonly LeftOut[];
  draft?: Draft;
  /** Files of this record have experts (records may share a GGUF name); `some`: some files have. */
  experts?: boolean | 'some';
  /** What is computed, from what a file says. Undefined: it converts, and does not run yet. */
  network?: (read: NetworkReader) => Network;
  /** In the order in which AWQ searches them; a block has those whose tensors it has. */
  awq: readonly ScalingPair[];
  /** Without pairs: why there are none. */
  notPacked?: string;
  /** Tokenizer keys that the converter sets for certain vocabulary sizes, over what the tokenizer files say. */
  tokenizerFixes?: ReadonlyMap<number, readonly [key: string, value: GgufValue][]>;
  /**
   * What the converter calls a pre-tokenizer of these models, by the name that its structure has here: several names of
   * llama.cpp have one expression.
   */
  preTokenizers?: Readonly<Record<string, string>>;
  /** Tokenizer keys that the converter sets before it reads the tokenizer files, which may say otherwise. */
  tokenizerDefaults?: readonly (readonly [key: string, value: GgufValue])[];
  /** Tokenizer keys that the converter sets for every model, over what the tokenizer files say. */
  tokenizerKeys?: readonly (readonly [key: string, value: GgufValue])[];
  /** Tokens that the converter finds by their text where no file says which they are. */
  tokensByName?: Readonly<Partial<Record<'bos' | 'eos' | 'eot' | 'unknown' | 'eom', string>>>;
  /** Keys of config.json whose token the converter takes for this one, whatever else is said. */
  tokensOfConfig?: Readonly<Partial<Record<'eos', string>>>;
  /** What an absent `vocab_size` means. */
  vocabSize?: number;
  /** The embedding has as many rows in GGUF as the tokenizer has tokens, whatever config.json says. */
  vocabularyOfTokenizer?: true;
  /** What differs from llama.cpp or transformers, for docs/models.md. */
  remarks?: readonly string[];
}

export type { ConfigRule, FixedConfig, Json, KeyRule, MadeRule, RopeRule, RopeType } from './config-rule.ts';
export type { Dimension, Dimensions } from './dimensions.ts';
export type { Presence, StoredAs, TensorRule } from './tensor-rule.ts';
