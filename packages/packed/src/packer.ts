// What it takes to write a packed format.
import type { DType } from '@quern/blocks';
import type { GroupedRows } from './packed-weight.ts';

export interface PackOptions {
  readonly bits: number;
  /** Columns per scale; −1 for one scale per row where the format allows it. */
  readonly groupSize: number;
  /** Zero is the constant 2^(bits − 1). */
  readonly symmetric: boolean;
  /** GPTQ: groups follow `groupOf`. */
  readonly actOrder?: boolean;
  /** Name of the dtype of scales; the packer's `scaleDType` when absent. */
  readonly scaleDType?: string;
}

/** A tensor to be written. */
export interface PackedPart {
  /** What it is to the weight: `qweight`, `scales`. Key of what `pack` returns. */
  readonly part: string;
  /** Full name in the checkpoint: `model.layers.0.self_attn.q_proj.qweight`. */
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

export interface PackerLimits {
  readonly bits: readonly number[];
  /** Group sizes the format's loaders know; −1 is one group per row. */
  readonly groupSizes: readonly number[];
  readonly symmetric: readonly boolean[];
  readonly actOrder: boolean;
  /** The number of rows (out) and of columns (in) must be a multiple of these. */
  readonly rowsMultipleOf: number;
  readonly colsMultipleOf: number;
  readonly scaleDTypes: readonly string[];
  /** Smallest zero that can be stored: 1 in GPTQ v1, else 0. */
  readonly minZero: number;
  /** It stores offsets in floating point in place of zeros. */
  readonly offsets: boolean;
  /** The format's own converter packs embedding and head too. Its parts are then rows one after the other. */
  readonly embedding: boolean;
}

/** Names of modules (`model.layers.0.self_attn.q_proj`), without `.weight`. */
export interface PackedModules {
  /** Those that are packed. */
  readonly packed: readonly string[];
  /**
   * Linear layers that are not. The head is among them even where it is the embedding and is not stored: loaders replace
   * linear layers by packed ones before they tie the head to the embedding.
   */
  readonly plain: readonly string[];
}

/** How the codes were made, where a configuration has a place for it. */
export interface Making {
  /** Every weight was fitted to what the quantized ones before it give. */
  readonly trueSequential: boolean;
  /** GPTQ: share of the mean diagonal that was added to it. */
  readonly damp?: number;
}

export interface PackedConfig {
  /** Goes into config.json. MLX wants it under `quantization` as well. */
  readonly quantization_config: Readonly<Record<string, unknown>>;
  /** Further keys of config.json. */
  readonly extraConfig?: Readonly<Record<string, unknown>>;
  /** Further JSON files beside config.json: name → content. */
  readonly sideFiles?: ReadonlyMap<string, unknown>;
}

export interface Packer {
  /** Key in `packers`. */
  readonly format: string;
  /** The usual dtype of scales. */
  readonly scaleDType: DType;
  readonly limits: PackerLimits;
  /** What is written unless zeros are asked for: no zeros, where readers exist that do not load them. */
  readonly usuallySymmetric: boolean;
  /** What a user should know before he loads the folder. */
  remark?(options: PackOptions): string | undefined;
  /**
   * The tensors that hold the weight `name` (`….weight`) of `shape` `[out, in]`.
   * @throws QuernError `pack-unsupported` naming the limit that `shape` or `options` break
   */
  tensorsOf(name: string, shape: readonly number[], options: PackOptions): readonly PackedPart[];
  /**
   * Bytes by part for the whole matrix. Scales are rounded to their dtype.
   * @throws QuernError `pack-unsupported`, `pack-misshapen`, `pack-scale-overflow`
   */
  pack(weight: GroupedRows, options: PackOptions): ReadonlyMap<string, Uint8Array>;
  /** What the configuration files have to say. */
  config(options: PackOptions, modules: PackedModules, making: Making): PackedConfig;
}
