// A table whose first rows no position ever has: the positions of RoBERTa begin behind that of padding. GGUF has the others.
// What was cut cannot come back: a checkpoint made of GGUF has zeros there.
import { checkRowRange, type TensorView } from '@quern/checkpoint';
import type { Change } from './change.ts';
import { sliceOf } from './joined.ts';

/** @param cut rows in front that GGUF does not have */
export const withoutFirstRows = (cut: number): Change => ({
  does: `the first ${cut} rows cut`,
  moves: 'rows',
  storedShape: ([rows = 0, ...rest]) => [rows + cut, ...rest],
  toGguf: (tensor, _place, shape) => sliceOf(tensor, tensor.name, cut, shape),
  toCheckpoint: (tensor, _place, shape) => zerosBefore(tensor, cut, shape),
});

function zerosBefore(tensor: TensorView, zeros: number, shape: readonly number[]): TensorView {
  const { packed: _, ...plain } = tensor;
  const whole = { ...plain, shape, rows: tensor.rows + zeros };
  return {
    ...whole,
    async readRows(firstRow, rowCount, into) {
      checkRowRange(whole, firstRow, rowCount, into);
      const empty = Math.min(Math.max(zeros - firstRow, 0), rowCount);
      into.fill(0, 0, empty * tensor.rowBytes);
      if (empty < rowCount)
        await tensor.readRows(firstRow + empty - zeros, rowCount - empty, into.subarray(empty * tensor.rowBytes));
    },
  };
}
