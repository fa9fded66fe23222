// A part of a stored tensor as a tensor of its own, so that a device which computes with some rows or columns of a weight
// reads exactly those. Nothing is decoded: columns are cut between blocks.
import { rowBytes } from '@quern/blocks';
import type { TensorView } from '@quern/checkpoint';

/** Rows `from` … `to - 1` of a matrix [R, C], or of every matrix of a stack [experts, R, C]. */
export function sliceRows(tensor: TensorView, from: number, to: number): TensorView {
  const { shape } = tensor;
  const [whole, part] = [shape.at(-2)!, to - from];
  const stack = shape.slice(0, -2);
  return {
    ...placeOf(tensor),
    shape: [...stack, part, tensor.cols],
    rows: (tensor.rows / whole) * part,
    cols: tensor.cols,
    rowBytes: tensor.rowBytes,
    async readRows(firstRow, rowCount, into) {
      for (let done = 0; done < rowCount; ) {
        const row = (firstRow + done) % part;
        const matrix = (firstRow + done - row) / part;
        const count = Math.min(rowCount - done, part - row);
        const bytes = into.subarray(done * tensor.rowBytes, (done + count) * tensor.rowBytes);
        await tensor.readRows(matrix * whole + from + row, count, bytes);
        done += count;
      }
    },
  };
}

/** Columns `from` … `to - 1`, both multiples of the dtype's block size: [.., C] becomes [.., to - from]. Vectors too. */
export function sliceColumns(tensor: TensorView, from: number, to: number): TensorView {
  const { dtype, shape } = tensor;
  const [firstByte, endByte] = [from, to].map((cols) => (cols === 0 ? 0 : rowBytes(dtype, cols))) as [number, number];
  const partBytes = endByte - firstByte;
  return {
    ...placeOf(tensor),
    shape: [...shape.slice(0, -1), to - from],
    rows: tensor.rows,
    cols: to - from,
    rowBytes: partBytes,
    async readRows(firstRow, rowCount, into) {
      const whole = new Uint8Array(rowCount * tensor.rowBytes);
      await tensor.readRows(firstRow, rowCount, whole);
      for (let row = 0; row < rowCount; row++) {
        const start = row * tensor.rowBytes;
        into.set(whole.subarray(start + firstByte, start + endByte), row * partBytes);
      }
    },
  };
}

const placeOf = ({ name, dtype, file, offset }: TensorView) => ({ name, dtype, file, offset });
