// Rows of q and k in transformers' order: the reverse of ../lens/permuted-tensor.ts. Per head of d rows, row s·d/2 + j of
// the view is row 2j + s of the file (j < d/2, s < 2).
import { checkRowRange, type TensorView } from '@quern/checkpoint';

/** Same bytes, rows reordered within each of `heads` heads. A vector (a bias) is reordered by element. */
export function unpermutedTensor(tensor: TensorView, heads: number): TensorView {
  if (tensor.shape.length > 1) return { ...tensor, readRows: reordered(tensor, tensor, heads) };
  // Its elements are rows of one element.
  const column = { ...tensor, rows: tensor.cols, rowBytes: tensor.dtype.typeSize };
  const readAll = async (_first: number, _count: number, into: Uint8Array) => {
    const whole = new Uint8Array(tensor.rowBytes);
    await tensor.readRows(0, 1, whole);
    into.set(whole.subarray(_first * column.rowBytes, (_first + _count) * column.rowBytes));
  };
  const read = reordered(column, { ...column, readRows: readAll }, heads);
  return {
    ...tensor,
    async readRows(firstRow, rowCount, into) {
      checkRowRange(tensor, firstRow, rowCount, into);
      await read(0, rowCount * tensor.cols, into);
    },
  };
}

/** A head is read whole: its rows are needed in steps of two. */
function reordered(shape: TensorView, from: TensorView, heads: number): TensorView['readRows'] {
  const { rowBytes } = shape;
  const headRows = shape.rows / heads;
  const half = headRows / 2;
  return async (firstRow, rowCount, into) => {
    checkRowRange(shape, firstRow, rowCount, into);
    const end = firstRow + rowCount;
    const head = new Uint8Array(headRows * rowBytes);
    for (let start = firstRow - (firstRow % headRows); start < end; start += headRows) {
      await from.readRows(start, headRows, head);
      for (let row = Math.max(firstRow, start); row < Math.min(end, start + headRows); row++) {
        const within = row - start;
        const stored = 2 * (within % half) + Math.floor(within / half);
        into.set(head.subarray(stored * rowBytes, (stored + 1) * rowBytes), (row - firstRow) * rowBytes);
      }
    }
  };
}
