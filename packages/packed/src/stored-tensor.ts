// What this package reads: the tensors of a checkpoint as they are stored.
import type { DType } from '@quern/blocks';

/** One stored tensor as random-access rows: a structural subset of checkpoint's TensorView. */
export interface StoredTensor {
  readonly name: string;
  readonly dtype: DType;
  /** Row-major, innermost dimension last. */
  readonly shape: readonly number[];
  /** Product of all dimensions but the last; 1 for vectors and scalars. */
  readonly rows: number;
  /** The last dimension; 1 for scalars. */
  readonly cols: number;
  /** Bytes per row as stored. */
  readonly rowBytes: number;
  /** Where the bytes lie, for error messages. */
  readonly file: string;
  readonly offset: number;
  /** Fills `into` (count × rowBytes) with rows `firstRow…`. */
  readRows(firstRow: number, count: number, into: Uint8Array): Promise<void>;
}
