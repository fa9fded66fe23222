// A tensor whose rows lie one after the other in one source: what both containers store.
import { type DType, rowBytes } from '@quern/blocks';
import { QuernError } from '@quern/errors';
import type { Source } from '@quern/source';
import type { TensorView } from './model-view.ts';

export interface TensorPlace {
  name: string;
  dtype: DType;
  /** Row-major, innermost last. */
  shape: readonly number[];
  source: Source;
  /** First byte of the tensor in `source`. */
  begin: number;
}

/** Rows of a stored tensor, read on demand. `begin` and the total size were proved by the format reader. */
export function contiguousTensor({ name, dtype, shape, source, begin }: TensorPlace): TensorView {
  const cols = shape.at(-1) ?? 1;
  const rows = shape.slice(0, -1).reduce((product, size) => product * size, 1);
  const bytesPerRow = rowBytes(dtype, cols);
  return {
    name,
    dtype,
    shape,
    rows,
    cols,
    rowBytes: bytesPerRow,
    file: source.name,
    offset: begin,
    async readRows(firstRow, rowCount, into) {
      checkRowRange({ name, rows, rowBytes: bytesPerRow, file: source.name, offset: begin }, firstRow, rowCount, into);
      await source.readInto(into, begin + firstRow * bytesPerRow);
    },
  };
}

/** @throws QuernError `rows-out-of-range` when the rows do not exist or do not fill `into` exactly. */
export function checkRowRange(
  tensor: Pick<TensorView, 'name' | 'rows' | 'rowBytes' | 'file' | 'offset'>,
  firstRow: number,
  rowCount: number,
  into: Uint8Array,
): void {
  const fits = firstRow >= 0 && rowCount >= 0 && firstRow + rowCount <= tensor.rows;
  if (fits && into.length === rowCount * tensor.rowBytes) return;
  throw new QuernError(
    'rows-out-of-range',
    `Rows ${firstRow}…${firstRow + rowCount} of ${tensor.rows} (${tensor.rowBytes} bytes each) into ${into.length} bytes.`,
    { file: tensor.file, tensor: tensor.name, offset: tensor.offset },
  );
}
