// What happens to a tensor between a checkpoint and GGUF, both ways. A change is a view: nothing is read until rows are
// asked for, and then no more than a block of rows is held.
import type { TensorView } from '@quern/checkpoint';
import type { Dimensions } from '../arch/dimensions.ts';
import type { ModelNumbers } from '../arch/model-numbers.ts';

/** Where in a model a tensor stands: what the sizes of a change depend on. */
export interface Place {
  readonly numbers: ModelNumbers;
  /** Sizes by name, in this block. */
  readonly sizes: Dimensions;
  /** Undefined for tensors of no block. */
  readonly block?: number;
}

export interface Change {
  /** For people, as in "transposed". */
  readonly does: string;
  /**
   * `rows`: whole rows move, so any dtype and any packed form goes along. `values`: numbers are computed or move within
   * rows, so packed weights are taken by their values.
   */
  readonly moves: 'rows' | 'values';
  /** The checkpoint's shape of what has `shape` in GGUF. */
  storedShape(shape: readonly number[], place: Place): readonly number[];
  /** `shape`: of the result. */
  toGguf(tensor: TensorView, place: Place, shape: readonly number[]): TensorView;
  toCheckpoint(tensor: TensorView, place: Place, shape: readonly number[]): TensorView;
  /**
   * Of a tensor that is a product B · A, what the change does is done to one of them: to B, whose rows are those of the product
   * (`left`), or to A, whose columns are (`right`). None: it cannot be done to factors.
   */
  readonly ofProduct?: 'left' | 'right';
  /** It reads numbers of config.json that GGUF has no keys for. */
  readonly ofConfig?: true;
  /** Row of GGUF that is row `row` of the checkpoint, where a change is an order of rows and nothing else. */
  ggufRow?(row: number, rows: number, place: Place): number;
}

export const sameShape = (shape: readonly number[]): readonly number[] => shape;
