// The experts of one matrix, which a checkpoint stores one by one, as the one tensor GGUF wants: rows of expert 0, then
// of expert 1, and so on. Nothing is read until rows are asked for, and then only those.
import { checkRowRange, type TensorView } from '@quern/checkpoint';

/** `experts`: matrices of one shape and dtype. The view's shape is [experts, rows, cols]. */
export function stackedTensor(name: string, experts: readonly TensorView[]): TensorView {
  const first = experts[0]!;
  const stack = {
    ...first,
    name,
    shape: [experts.length, ...first.shape],
    rows: experts.length * first.rows,
  };
  return {
    ...stack,
    async readRows(firstRow, rowCount, into) {
      checkRowRange(stack, firstRow, rowCount, into);
      for (let done = 0; done < rowCount; ) {
        const row = (firstRow + done) % first.rows;
        const count = Math.min(first.rows - row, rowCount - done);
        const bytes = into.subarray(done * first.rowBytes, (done + count) * first.rowBytes);
        await experts[Math.floor((firstRow + done) / first.rows)]!.readRows(row, count, bytes);
        done += count;
      }
    },
  };
}
