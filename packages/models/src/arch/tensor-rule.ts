// What an architecture record says of a tensor: both names, its shape in GGUF, and what happens to it on the way there.
// Everything is said so that it can be read in both directions.
import type { Change, Place } from '../change/change.ts';
import type { Part } from '../change/part.ts';
import type { Dimension } from './dimensions.ts';
import type { ModelNumbers } from './model-numbers.ts';

/**
 * When a tensor belongs to a model.
 * - `always`: it must be there (in the blocks of its rule).
 * - `untied`: the output matrix: required unless `tie_word_embeddings`, and kept when a tied checkpoint has it.
 * - `optional`: kept where the checkpoint has it.
 * - `made`: the lens computes it (`TensorRule.make`, or the rope type); no checkpoint stores it.
 * - `flag`: only when this key of config.json is true (`missing`: what its absence means; false when not given), or with
 *   `is` only when it is false.
 */
export type Presence =
  | 'always'
  | 'untied'
  | 'optional'
  | 'made'
  | { readonly flag: string; readonly missing?: boolean; readonly is?: false };

/** A tensor of the checkpoint that gives `rows` rows to one of GGUF. */
export interface JoinedName {
  readonly name: string;
  readonly rows: Dimension;
}

/** How a checkpoint stores a tensor. */
export interface StoredAs {
  /**
   * `{i}` block, `{m}` block counted from the first draft block, `{j}` expert: one tensor each, a stack in GGUF. Several
   * names: tensors that follow one another in GGUF by rows.
   */
  readonly name: string | readonly JoinedName[];
  /** It is one of the parts of that tensor. */
  readonly part?: Part;
  /** What is done to it (to the part, to each expert), first to last. */
  readonly changes?: readonly Change[];
  /** Only when the tensor is packed, or only when it is not: published packed experts lie otherwise than plain ones. */
  readonly packed?: boolean;
}

/** One tensor. */
export interface TensorRule {
  /** `{i}` stands for the block number. */
  readonly gguf: string;
  /** Row-major, innermost last, as everywhere in quern. */
  readonly shape: readonly Dimension[];
  readonly presence: Presence;
  /** As it is written into a checkpoint; undefined when the lens makes it. */
  readonly stored?: StoredAs;
  /** Other ways in which checkpoints store the same. */
  readonly also?: readonly StoredAs[];
  /** Which blocks have it; all when not given. */
  readonly blocks?: (place: Place & { readonly block: number }) => boolean;
  /** Of a tensor of no block: whether the model has it; when not given it has. */
  readonly exists?: (numbers: ModelNumbers) => boolean;
  /** Draft blocks (the last ones, which predict further tokens) have it as well, or they alone; otherwise they do not. */
  readonly draft?: 'too' | 'only';
  /** Values of a tensor that no checkpoint stores; undefined when the model has none. */
  readonly make?: (place: Place) => Float32Array | undefined;
  /** One number for each block: GGUF has no tensor of it, but an entry in this list among the metadata. */
  readonly listed?: string;
  /** Stored as F32 in checkpoints of any type, as published ones are. */
  readonly f32?: true;
  /**
   * What it is in a converted file, whatever the others are. `F16 or F32`: F16 in a file of F16, else F32. `stored`: what
   * holds it as it is stored (codes of packed weights too). `I32`: whole numbers.
   */
  readonly type?: 'F32' | 'F16' | 'F16 or F32' | 'stored' | 'I32';
}
