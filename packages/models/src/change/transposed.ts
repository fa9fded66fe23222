// Rows become columns: the matrices of GPT-2's Conv1D, and stacks of experts that are stored [experts, in, out]. A matrix is
// never held: for the rows that are asked for, the stored matrix is walked in blocks of rows.
import { rowBytes as bytesOfRow } from '@quern/blocks';
import { checkRowRange, type TensorView } from '@quern/checkpoint';
import type { Change } from './change.ts';
import { inPlainNumbers } from './mapped-values.ts';

/** What a walk holds of the stored matrix at once. */
const blockBytes = 4 * 2 ** 20;

const swapped = (shape: readonly number[]): number[] => [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!];

/** The last two dimensions change places. */
export function transposedTensor(stored: TensorView): TensorView {
  const tensor = inPlainNumbers(stored);
  const shape = swapped(tensor.shape);
  const [rowsEach, cols] = [shape.at(-2)!, shape.at(-1)!];
  const { typeSize } = tensor.dtype;
  const result = {
    ...tensor,
    shape,
    rows: (tensor.rows / cols) * rowsEach,
    cols,
    rowBytes: bytesOfRow(tensor.dtype, cols),
  };
  const blockRows = Math.max(1, Math.floor(blockBytes / tensor.rowBytes));
  return {
    ...result,
    async readRows(firstRow, rowCount, into) {
      checkRowRange(result, firstRow, rowCount, into);
      for (let done = 0; done < rowCount; ) {
        const matrix = Math.floor((firstRow + done) / rowsEach);
        const from = (firstRow + done) % rowsEach;
        const count = Math.min(rowsEach - from, rowCount - done);
        const target = into.subarray(done * result.rowBytes, (done + count) * result.rowBytes);
        for (let row = 0; row < cols; row += blockRows) {
          const some = Math.min(blockRows, cols - row);
          const bytes = new Uint8Array(some * tensor.rowBytes);
          await tensor.readRows(matrix * cols + row, some, bytes);
          scatter(bytes, tensor.rowBytes, from, target, result.rowBytes, row, typeSize);
        }
        done += count;
      }
    },
  };
}

/** Columns `from…` of the stored rows in `bytes` become, as far as `target` has rows, its columns `at…`. */
function scatter(
  bytes: Uint8Array,
  rowBytes: number,
  from: number,
  target: Uint8Array,
  targetRowBytes: number,
  at: number,
  typeSize: number,
): void {
  const targetRows = target.length / targetRowBytes;
  for (let i = 0; i * rowBytes < bytes.length; i++) {
    for (let j = 0; j < targetRows; j++) {
      const source = i * rowBytes + (from + j) * typeSize;
      const place = j * targetRowBytes + (at + i) * typeSize;
      for (let byte = 0; byte < typeSize; byte++) target[place + byte] = bytes[source + byte]!;
    }
  }
}

export const transposed: Change = {
  does: 'transposed',
  moves: 'values',
  storedShape: swapped,
  toGguf: transposedTensor,
  toCheckpoint: transposedTensor,
};
